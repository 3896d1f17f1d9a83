// A full disk fails closed: nothing is acknowledged that is not there afterwards, whoever asks is told
// what is wrong, and the control plane goes on by itself once there is room. Needs a disk that can be
// filled: a small tmpfs, which only root may mount.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_BASE } from '@baton/contract';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { checkDatabase } from './database/database-tools.ts';
import { startServer } from './start.ts';

const SIZE_MIB = 160;
const MIB = 1024 * 1024;

/** A small disk of one's own; undefined where none may be mounted. */
function smallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'baton-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'none', path], {
      stdio: 'ignore',
    });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
}

const disk = smallDisk();
afterAll(() => {
  if (disk === undefined) return;
  // Lazily: what still has it open must not keep it mounted for ever.
  execFileSync('umount', ['--lazy', disk]);
  rmSync(disk, { recursive: true });
});

/** Takes all the room that is left. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (let size = MIB; size >= 1; size = Math.floor(size / 4)) {
      const piece = Buffer.alloc(size, 1);
      try {
        while (writeSync(fd, piece) === size);
      } catch {
        // Full for pieces of this size: smaller ones may still fit.
      }
    }
  } finally {
    closeSync(fd);
  }
}

const title = disk === undefined ? 'a full disk (skipped: only root may mount one)' : 'a full disk';
describe.skipIf(disk === undefined)(title, () => {
  test('loses nothing, says so, and is over when there is room', { timeout: 600_000 }, async () => {
    const dataDir = join(disk ?? '', 'data');
    const settings = { dataDir };
    const running = await startServer({
      config: { ...settings, port: 0 },
      log: pino({ level: 'silent' }),
    });
    const key = running.apiKey ?? '';
    const ask = async (
      method: string,
      path: string,
      body?: Uint8Array<ArrayBuffer> | object,
      token = key,
    ) => {
      const isBytes = body instanceof Uint8Array;
      const response = await fetch(running.url + API_BASE + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
          ...(isBytes ? { 'content-range': `bytes 0-${body.length - 1}/${body.length}` } : {}),
        },
        ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text === '' ? '{}' : text) };
    };
    /** A large run, so that the database soon needs more room. */
    const create = () =>
      ask('POST', '/runs', {
        goal: 'fill',
        deliver: 'none',
        plan: {
          tasks: Array.from({ length: 40 }, (_, index) => ({
            key: `t${index}`,
            kind: 'command',
            lease_seconds: 86_400,
            spec: createHash('sha512').update(`${index}`).digest('hex').repeat(60),
          })),
          dependencies: [],
        },
      });
    try {
      const first = await create();
      expect(first.status).toBe(201);
      const acknowledged: string[] = [first.body.run.id];
      const { token } = (await ask('POST', '/worker-tokens', {})).body;
      const worker = (
        await ask('POST', '/workers/register', {
          token,
          name: 'w',
          slots: 1,
          capabilities: { engines: ['shell'] },
        })
      ).body;
      const { items } = (
        await ask('POST', `/workers/${worker.id}/claim?wait=30`, { max: 1 }, worker.key)
      ).body;
      const { id: attempt, epoch } = items[0].attempt;
      const content = Buffer.alloc(2 * MIB, 7);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const announced = await ask(
        'POST',
        `/attempts/${attempt}/artifacts`,
        { epoch, name: 'large', size: content.length, sha256 },
        worker.key,
      );

      const filler = join(disk ?? '', 'filler');
      fill(filler);
      const upload = `/uploads/${announced.body.upload}`;
      const refused = await ask('PUT', upload, content, worker.key);
      expect([refused.status, refused.body.code]).toEqual([507, 'storage_full']);

      let told: string | undefined;
      for (let tries = 0; tries < 200 && told === undefined; tries++) {
        const made = await create();
        if (made.status === 201) acknowledged.push(made.body.run.id);
        else told = made.body.code;
      }
      expect(told).toBe('storage_full');

      unlinkSync(filler);
      const freedAtMs = performance.now();
      let again = await create();
      while (again.status !== 201 && performance.now() - freedAtMs < 60_000) again = await create();
      expect(again.status).toBe(201);
      acknowledged.push(again.body.run.id);
      for (const id of acknowledged) {
        expect([id, (await ask('GET', `/runs/${id}`)).status]).toEqual([id, 200]);
      }
      expect((await ask('PUT', upload, content, worker.key)).status).toBe(200);
    } finally {
      await running.stop();
    }
    const findings = await checkDatabase(settings);
    expect(findings.filter(({ count }) => count > 0)).toEqual([]);
  });
});
