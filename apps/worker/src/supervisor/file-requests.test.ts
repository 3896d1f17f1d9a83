import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearRequests, serveFiles, type FileRequests } from './file-requests.ts';
import type { JsonCall, JsonReply } from './http-json.ts';

let dir = '';
let requests = '';
let answers = '';
let served: FileRequests | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'baton-files-'));
  requests = join(dir, 'requests');
  answers = join(dir, 'answers');
  clearRequests(requests);
});
afterEach(() => {
  served?.close();
  rmSync(dir, { recursive: true, force: true });
});

function serve(handle: (call: JsonCall) => Promise<JsonReply> | JsonReply): void {
  served = serveFiles(requests, answers, handle);
}

function call(name: string, text: string): void {
  writeFileSync(join(requests, `${name}.part`), text);
  renameSync(join(requests, `${name}.part`), join(requests, `${name}.json`));
}

async function until(isSo: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 60_000; !isSo(); await delay(5)) {
    if (performance.now() > endMs) throw new Error('waited in vain');
  }
}

async function answerOf(name: string): Promise<unknown> {
  const path = join(answers, `${name}.json`);
  await until(() => existsSync(path));
  return JSON.parse(readFileSync(path, 'utf8')) as unknown;
}

test('a call is answered once, under its own name, and forgotten when its file goes', async () => {
  const seen: unknown[] = [];
  serve(({ method, path, query, body }) => {
    seen.push([method, path, query.get('wait'), body]);
    return { status: 200, body: { ok: true } };
  });
  call('a', JSON.stringify({ method: 'POST', path: '/requests?wait=3', body: { id: 'x' } }));
  expect(await answerOf('a')).toEqual({ status: 200, body: { ok: true } });
  call('b', JSON.stringify({ method: 'GET', path: '/task' }));
  expect(await answerOf('b')).toEqual({ status: 200, body: { ok: true } });
  expect(seen).toEqual([
    ['POST', '/requests', '3', { id: 'x' }],
    ['GET', '/task', null, null],
  ]);
  rmSync(join(requests, 'a.json'));
  await until(() => !existsSync(join(answers, 'a.json')));
  expect(readdirSync(answers)).toEqual(['b.json']);
});

test('a call whose file goes while it waits is hung up', async () => {
  let state = 'unseen';
  serve(async ({ signal }) => {
    state = 'waiting';
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    state = 'hung up';
    return { status: 202, body: null };
  });
  call('a', JSON.stringify({ method: 'GET', path: '/requests/a?wait=50' }));
  await until(() => state === 'waiting');
  rmSync(join(requests, 'a.json'));
  await until(() => state === 'hung up');
  expect(readdirSync(answers)).toEqual([]);
});

test.each([
  ['no JSON', 'x'],
  ['no call', '{}'],
  ['a call that is too long', `"${'x'.repeat(1024 * 1024)}"`],
])('%s is refused, and no handler sees it', async (_what, text) => {
  serve(() => {
    throw new Error('seen');
  });
  call('a', text);
  expect(await answerOf('a')).toMatchObject({ status: 400, body: { code: 'bad_request' } });
});

test('links and directories in the place of a call are not read', async () => {
  const secret = join(dir, 'secret.json');
  writeFileSync(secret, JSON.stringify({ method: 'GET', path: '/secret' }));
  const paths: string[] = [];
  serve(({ path }) => {
    paths.push(path);
    return { status: 200, body: null };
  });
  symlinkSync(secret, join(requests, 'link.json'));
  mkdirSync(join(requests, 'folder.json'));
  expect(await answerOf('link')).toMatchObject({ status: 400 });
  expect(await answerOf('folder')).toMatchObject({ status: 400 });
  expect(paths).toEqual([]);
});

test('calls of an earlier agent are not heard again', () => {
  call('old', '{}');
  clearRequests(requests);
  expect(readdirSync(requests)).toEqual([]);
});
