/**
 * What the fake agents share: they do what the directives in their prompt say (see
 * ../../fake-model/script.ts for the language), for real, without a model.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Tokens of one round trip, as the fake model counts them. */
export const usagePerCall = { input: 1_200, cached: 300, output: 42, usd: 0.0057 };

export async function readStdin() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Prints one JSON line and waits until the pipe took it, so that an exit loses nothing. */
export function print(event) {
  return new Promise((done) => {
    process.stdout.write(`${JSON.stringify(event)}\n`, done);
  });
}

const directive = /\[\[(write|shell|stall|fail|say)(?::([\s\S]*?))?\]\]/g;

/** The prompt's script: calls in order, then at most one stall, failure and final text. */
export function parseScript(prompt) {
  const all = [...prompt.matchAll(directive)].map(([, kind, arg]) => ({ kind, arg: arg ?? '' }));
  const argOf = (kind) => all.find((one) => one.kind === kind)?.arg;
  return {
    isEmpty: all.length === 0,
    calls: all.filter((one) => one.kind === 'write' || one.kind === 'shell'),
    stall: argOf('stall'),
    fail: argOf('fail'),
    say: argOf('say'),
  };
}

/** The final text of a script whose calls are done. */
export function finalText(script, results) {
  if (script.isEmpty) return 'All done. (no script in the prompt)';
  const last = results.at(-1) ?? '';
  return script.say ?? `All done. tool_results=${results.length}; last: ${last.slice(0, 120)}`;
}

/** Splits `path|content`; the path is made absolute. */
export function parseWrite(arg) {
  const at = arg.indexOf('|');
  const path = resolve(at === -1 ? arg : arg.slice(0, at));
  return { path, content: at === -1 ? 'hello from the fake model\n' : arg.slice(at + 1) };
}

export function writeWhole(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Runs a command; both outputs together, in the order they came. */
export function run(command, env = process.env) {
  return new Promise((done) => {
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => done({ code: 127, output: String(error) }));
    child.on('close', (code, signal) => {
      done({ code: code ?? (signal === null ? 1 : 128), output: Buffer.concat(chunks).toString() });
    });
  });
}

export function sleepSeconds(seconds) {
  return new Promise((done) => setTimeout(done, seconds * 1_000));
}

/** Conversations of a fake agent, one file each: how many round trips they have had. */
export function sessionsIn(home) {
  const fileOf = (id) => join(home, 'fake-sessions', `${id}.json`);
  return {
    find(id) {
      try {
        return JSON.parse(readFileSync(fileOf(id), 'utf8'));
      } catch {
        return undefined;
      }
    },
    save: (id, session) => writeWhole(fileOf(id), JSON.stringify(session)),
  };
}

/** The value after a flag; undefined when the flag is not there. */
export function flag(args, name) {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

/** Like the real ones: TERM ends the program at once, without a last event. */
export function dieOnTerm() {
  process.on('SIGTERM', () => process.exit(143));
}
