import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@baton/sdk';
import { runCli } from '../cli.ts';
import { NOW_MS } from './samples.ts';

/** How a command line ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A control plane that answers by heart, and the command line run against it. */
export interface FakeControlPlane {
  readonly url: string;
  /** A folder for this one alone; the data directory and current folder of its commands. */
  readonly dir: string;
  /** What it answers, by `METHOD path?query` below `/api/v1`: JSON, or text as it is. */
  readonly answers: Record<string, unknown>;
  /** What it was sent. */
  readonly sent: readonly { readonly to: string; readonly body: unknown }[];
  /** Runs a command line without a terminal. */
  baton(line: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  close(): Promise<void>;
}

/** A problem document as the control plane sends it. */
export function refusal(code: string, status: number, detail: string) {
  return { type: 'about:blank', title: code, status, code, detail, retry: false, facts: {} };
}

export async function openFakeControlPlane(): Promise<FakeControlPlane> {
  const answers: Record<string, unknown> = {};
  const sent: { readonly to: string; readonly body: unknown }[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'baton-cli-'));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = decodeURIComponent(request.url ?? '').replace('/api/v1', '');
      const to = `${request.method ?? ''} ${path}`;
      const text = Buffer.concat(chunks).toString();
      sent.push({ to, body: text === '' ? null : (JSON.parse(text) as unknown) });
      const answer = answers[to] ?? refusal('not_found', 404, `No ${to}.`);
      if (typeof answer === 'string') {
        const isStream = /^(?:data|event|id):/.test(answer);
        response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'text/plain' });
        response.end(answer);
        return;
      }
      const status = isRefusal(answer) ? answer.status : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    dir,
    answers,
    sent,
    baton: (line, env = {}) =>
      runLine(line, dir, {
        BATON_DATA_DIR: dir,
        BATON_URL: url,
        BATON_API_KEY: 'bat_test',
        ...env,
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true });
    },
  };
}

async function runLine(
  line: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const written = { out: '', err: '' };
  const into = (name: keyof typeof written) => ({
    write(text: string): boolean {
      written[name] += text;
      return true;
    },
  });
  const code = await runCli(line, {
    env,
    cwd,
    stdout: into('out'),
    stderr: into('err'),
    input: {
      isTty: false,
      readAll: () => Promise.resolve(''),
      ask: () => Promise.resolve(undefined),
    },
    signal: new AbortController().signal,
    version: '0.0.0-test',
    nowMs: () => NOW_MS,
    client: ({ target }) =>
      createClient({ baseUrl: target.url, token: target.token, retriesMax: 0 }),
    openBrowser: () => Promise.resolve(false),
  });
  return { code, ...written };
}

function isRefusal(value: unknown): value is ReturnType<typeof refusal> {
  return typeof value === 'object' && value !== null && 'title' in value && 'retry' in value;
}
