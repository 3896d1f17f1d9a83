import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { ROOT } from './paths.mjs';

/**
 * How Node runs a busy control plane: what one batch makes is mostly garbage before the next, and with
 * more room for new objects less of it is copied. Up to 70 MB more are used, and only under load.
 */
export const NODE_FLAGS = ['--max-semi-space-size=32'];

/** Signals handed on to the program that runs in the foreground. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * The environment without what `npm run` put into it, so that a program started by us sees what it
 * would see when started by hand.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function userEnv(env = process.env) {
  const kept = Object.entries(env).filter(
    ([name]) =>
      !/^npm_(lifecycle|package|execpath|node_execpath|command|config_local_prefix)/.test(name) &&
      name !== 'INIT_CWD',
  );
  const cleaned = Object.fromEntries(kept);
  cleaned.PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((part) => !/node_modules[\\/]\.bin$|node-gyp-bin$/.test(part))
    .join(delimiter);
  return cleaned;
}

/**
 * Runs a program to its end and keeps what it printed, without colours. A program that cannot be started counts as
 * failed, with the reason as its output.
 * @param {readonly string[]} command program and arguments
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string }>} standard output and error, as they came
 */
export function capture(command, options = {}) {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      ...options,
      env: { ...(options.env ?? process.env), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (/** @type {string} */ text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.once('close', (code, signal) => resolve({ code: exitCode(code, signal), output }));
  });
}

/**
 * Runs a program in the foreground, with this terminal, and hands signals on to it.
 * @param {readonly string[]} command program and arguments
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>} its exit code; 128 + the signal's number when a signal ended it
 */
export function foreground(command, options = {}) {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
    // A Ctrl-C at the terminal reaches the program by itself; a second copy would end it at once.
    const forward = (/** @type {NodeJS.Signals} */ signal) =>
      signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    const done = (/** @type {number} */ code) => {
      for (const signal of FORWARDED) process.off(signal, forward);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      done(127);
    });
    child.once('exit', (code, signal) => done(exitCode(code, signal)));
  });
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function exitCode(code, signal) {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}
