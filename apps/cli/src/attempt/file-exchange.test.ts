import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileExchange } from './file-exchange.ts';
import { openDoor } from './supervisor-door.ts';

let dir = '';
let requests = '';
let answers = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'baton-files-'));
  requests = join(dir, 'requests');
  answers = join(dir, 'answers');
  mkdirSync(requests);
  mkdirSync(answers);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Answers the next call, once it is whole. */
async function answerNext(status: number, body: unknown): Promise<unknown> {
  for (;;) {
    const [name] = readdirSync(requests).filter((it) => it.endsWith('.json'));
    if (name === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const call = JSON.parse(readFileSync(join(requests, name), 'utf8')) as unknown;
    writeFileSync(join(answers, `${name}.part`), JSON.stringify({ status, body }));
    renameSync(join(answers, `${name}.part`), join(answers, name));
    return call;
  }
}

describe('calls by files', () => {
  test('say the same as calls by the socket, and leave nothing behind', async () => {
    const { signal } = new AbortController();
    const door = openDoor(fileExchange(requests, answers, signal), signal);
    const [handed, call] = await Promise.all([
      door.progress({ percent: 5, text: 'x' }),
      answerNext(200, {}),
    ]);
    expect(handed.state).toBe('accepted');
    expect(call).toMatchObject({
      method: 'POST',
      path: expect.stringMatching(/^\/requests\?wait=\d/),
      body: { kind: 'progress', body: { percent: 5, text: 'x' } },
    });
    expect(readdirSync(requests)).toEqual([]);
  });

  test("throw a refusal with the server's code and words", async () => {
    const { signal } = new AbortController();
    const door = openDoor(fileExchange(requests, answers, signal), signal);
    const refused = answerNext(422, { code: 'contract_violation', status: 422, detail: 'no' });
    await expect(door.setOutput('api', {})).rejects.toMatchObject({
      code: 'contract_violation',
      message: 'no',
    });
    await refused;
  });

  test('say that the attempt has probably ended when they cannot be written', async () => {
    rmSync(requests, { recursive: true });
    const { signal } = new AbortController();
    const door = openDoor(fileExchange(requests, answers, signal), signal);
    await expect(door.task()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
  });

  test('end when the program is interrupted', async () => {
    const stop = new AbortController();
    const door = openDoor(fileExchange(requests, answers, stop.signal), stop.signal);
    const asked = door.task();
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
    expect(readdirSync(requests)).toEqual([]);
  });
});
