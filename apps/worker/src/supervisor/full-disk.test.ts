// A full disk under a supervisor: the agent waits, nothing of what it says is lost, and it is told why.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentStreams } from './agent-streams.ts';
import { Outbox } from './outbox.ts';
import { openPipes, type StdioPipes } from './pipes.ts';
import { SpoolWriter } from './spool-writer.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'baton-full-disk-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A disk with so many bytes of room, in which a piece may fit in part. */
function disk(roomBytes: number) {
  return {
    roomBytes,
    write(fd: number, bytes: Uint8Array, offset = 0): number {
      const size = Math.min(bytes.byteLength - offset, this.roomBytes);
      if (size === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      this.roomBytes -= size;
      return writeSync(fd, bytes, offset, size);
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const LINES = 30_000;
const SCRIPT = `i=0; while [ $i -lt ${LINES} ]; do echo "line $i of what the agent says"; i=$((i+1)); done`;

test.each<[string, () => StdioPipes | undefined]>([
  ['own pipes', openPipes],
  ["Node's pipes", () => undefined],
])('an agent waits for room, and every byte is kept in order (%s)', async (_, pipes) => {
  const small = disk(100_000);
  const told: boolean[] = [];
  const budget = { bytesLeft: 1e9 };
  const path = join(root, 'stdout');
  const stdout: SpoolWriter = new SpoolWriter(path, budget, {
    write: (...piece) => small.write(...piece),
    onStuck: () => told.push(stdout.isStuck),
  });
  const stderr = new SpoolWriter(join(root, 'stderr'), budget);
  const streams = new AgentStreams(pipes(), { mode: 'none' }, { stdout, stderr });
  const child = spawn('sh', ['-c', SCRIPT], { stdio: streams.open() });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  streams.connect(child);
  await until(() => stdout.isStuck);
  expect([child.exitCode, stdout.bytes, stdout.droppedBytes]).toEqual([null, 100_000, 0]);
  small.roomBytes = 150_000;
  await until(() => stdout.bytes === 250_000);
  expect(child.exitCode).toBeNull();
  small.roomBytes = 1e9;
  expect(await gone).toBe(0);
  await streams.drained();
  await stdout.close();
  await stderr.close();
  const lines = Array.from({ length: LINES }, (_line, n) => `line ${n} of what the agent says\n`);
  const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
  expect(sha256(readFileSync(path))).toBe(sha256(lines.join('')));
  expect([told[0], told.at(-1)]).toEqual([true, false]);
});

test('what still finds no room at the end is counted', async () => {
  const small = disk(5);
  const path = join(root, 'stdout');
  const writer = new SpoolWriter(
    path,
    { bytesLeft: 1e9 },
    { write: (...it) => small.write(...it) },
  );
  expect(writer.write(Buffer.from('one two'))).toBe(false);
  expect(writer.write(Buffer.from(' three'))).toBe(false);
  await writer.close();
  expect([writer.bytes, writer.droppedBytes, readFileSync(path, 'utf8')]).toEqual([5, 8, 'one t']);
});

test('a request that finds no room is refused, and leaves no half of itself behind', async () => {
  const small = disk(100);
  const outbox = new Outbox(join(root, 'outbox'), join(root, 'answers'), (fd, bytes) => {
    for (let at = 0; at < bytes.byteLength;) at += small.write(fd, bytes, at);
  });
  const refused = await outbox.accept('one', 'note', { text: 'x'.repeat(200) });
  expect(refused).toEqual({ ok: false, code: 'storage_full' });
  expect(readFileSync(join(root, 'outbox'), 'utf8')).toBe('');
  small.roomBytes = 1e6;
  expect(await outbox.accept('one', 'note', { text: 'y' })).toMatchObject({ ok: true });
  expect(outbox.list(0)).toMatchObject([{ seq: 1, id: 'one', body: { text: 'y' } }]);
  outbox.close();
});
