import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { createClient } from '@baton/sdk';
import { runCli } from './cli.ts';
import type { Input } from './context.ts';
import { VERSION } from './version.ts';

const ended = new AbortController();
/** One Ctrl-C comes up to three times: from the terminal to all of the group, and again from npm. */
const COPIES_MS = 400;
let firstSignalMs: number | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    firstSignalMs ??= performance.now();
    ended.abort(new Error(name));
    // Whoever presses Ctrl-C twice does not want to wait for anything.
    if (performance.now() - firstSignalMs > COPIES_MS) process.exit(130);
  });
}
// A reader that went away (`| head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const input: Input = {
  isTty: process.stdin.isTTY === true,
  async readAll() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  },
  async ask(question, signal = ended.signal) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    try {
      return await lines.question(question, { signal });
    } catch {
      return undefined;
    } finally {
      lines.close();
    }
  },
};

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  input,
  signal: ended.signal,
  version: VERSION,
  nowMs: () => Date.now(),
  client: ({ target, project }) =>
    createClient({
      baseUrl: target.url,
      token: target.token,
      project,
      agent: `baton/${VERSION}`,
    }),
  openBrowser,
});
// What may still hold the process (an idle socket of a keep-alive pool) has no say in its end.
process.exit();

function openBrowser(url: string): Promise<boolean> {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
