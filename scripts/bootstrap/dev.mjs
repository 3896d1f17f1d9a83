import { spawn } from 'node:child_process';
import { fromRoot, toolScript } from './paths.mjs';
import { userEnv } from './process.mjs';

/** Another port than the product's own, so that both may run on one machine. */
const API_PORT = 4665;

/**
 * The compiler in watch mode, `baton up` restarted whenever its compiled code changes, and Vite for
 * the dashboard, which hands API calls to that server. Ends when one of them ends or on Ctrl-C.
 * @param {readonly string[]} args handed to `baton up`
 * @returns {Promise<number>}
 */
export function devServers(args) {
  const node = process.execPath;
  const env = { ...userEnv(), BATON_DEV_API_URL: `http://127.0.0.1:${API_PORT}` };
  const up = [
    fromRoot('apps/cli/bin/baton.js'),
    'up',
    '--port',
    String(API_PORT),
    '--data-dir',
    fromRoot('.cache/dev-data'),
    ...args,
  ];
  const programs = [
    {
      args: [toolScript('typescript', 'tsc'), '-b', '--watch', '--preserveWatchOutput'],
      cwd: fromRoot('.'),
    },
    { args: ['--watch', '--watch-preserve-output', ...up], cwd: fromRoot('.') },
    { args: [toolScript('vite'), '--clearScreen', 'false'], cwd: fromRoot('apps/dashboard') },
  ];
  return new Promise((resolve) => {
    const children = programs.map((program) =>
      spawn(node, program.args, { cwd: program.cwd, env, stdio: 'inherit' }),
    );
    let running = children.length;
    let exitCode = 0;
    const stopAll = () => {
      for (const child of children) child.kill('SIGTERM');
    };
    process.on('SIGINT', stopAll);
    process.on('SIGTERM', stopAll);
    for (const child of children) {
      child.once('close', (code) => {
        exitCode ||= code ?? 0;
        running -= 1;
        stopAll();
        if (running === 0) resolve(exitCode);
      });
    }
  });
}
