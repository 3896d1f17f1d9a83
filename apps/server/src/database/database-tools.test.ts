import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_BASE } from '@baton/contract';
import { createHash, randomUUID } from 'node:crypto';
import { freshDatabases } from '@baton/testkit';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type RunningServer } from '../start.ts';
import {
  applyMigrations,
  backupDatabase,
  checkDatabase,
  exportRows,
  migrationStatus,
  moveTo,
  restoreFromBackup,
  verifyBackup,
} from './database-tools.ts';

const log = pino({ level: 'silent' });
const content = Buffer.from('a report');
let home: string;
let dataDir: string;
let backup: string;

interface Asked {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'baton-tools-'));
  dataDir = join(home, 'first');
  backup = join(home, 'first.backup');
});
afterAll(() => rm(home, { recursive: true, force: true }));

const settings = (name: string) => ({ dataDir: join(home, name), unsafeDurability: true });
const start = (name: string) =>
  startServer({ config: { ...settings(name), port: 0 }, log, isKeyLost: true });

function asker({ url, apiKey = '' }: RunningServer) {
  return async (method: string, path: string, body?: unknown, key = apiKey): Promise<Asked> => {
    const response = await fetch(url + API_BASE + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } };
  };
}

/** A run with one task that ran on a worker over HTTP and left an artifact. Its id. */
async function work(running: RunningServer): Promise<string> {
  const ask = asker(running);
  const made = await ask('POST', '/runs', {
    goal: 'true',
    deliver: 'none',
    plan: { tasks: [{ key: 'one', kind: 'command', spec: 'true' }], dependencies: [] },
  });
  const { token } = (await ask('POST', '/worker-tokens', {})).body;
  const { id, key } = (
    await ask('POST', '/workers/register', {
      token,
      name: `w-${randomUUID().slice(0, 8)}`,
      slots: 1,
      capabilities: { engines: ['shell'] },
    })
  ).body as { id: string; key: string };
  const claimed = (await ask('POST', `/workers/${id}/claim`, { max: 1 }, key)).body as {
    items: { attempt: { id: string; epoch: number } }[];
  };
  const { id: attempt, epoch } = claimed.items[0]?.attempt ?? { id: 'none', epoch: 0 };
  expect(attempt).not.toBe('none');
  await ask('POST', `/attempts/${attempt}/start`, { epoch }, key);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const announced = await ask(
    'POST',
    `/attempts/${attempt}/artifacts`,
    { epoch, name: 'report.txt', media_type: 'text/plain', size: content.length, sha256 },
    key,
  );
  // Null: content that is stored already is not asked for again.
  const { upload } = announced.body as { upload: string | null };
  if (upload !== null) {
    const uploaded = await fetch(`${running.url}${API_BASE}/uploads/${upload}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/octet-stream',
        'content-range': `bytes 0-${content.length - 1}/${content.length}`,
      },
      body: content,
    });
    expect(uploaded.status).toBe(200);
  }
  const done = await ask(
    'POST',
    `/attempts/${attempt}/complete`,
    { epoch, result: { status: 'success', summary: '' } },
    key,
  );
  expect(done.status).toBe(200);
  return (made.body as { run: { id: string } }).run.id;
}

describe('the database of a control plane', () => {
  let runId = '';

  test('is checked and backed up while it runs', { timeout: 600_000 }, async () => {
    const running = await start('first');
    try {
      runId = await work(running);
      await expect(checkDatabase(settings('first'))).rejects.toMatchObject({
        code: 'data_dir_in_use',
      });
      const ask = asker(running);
      const checked = await ask('GET', '/database/check');
      expect(checked.status).toBe(200);
      const { ok, checks } = checked.body as { ok: boolean; checks: { count: number }[] };
      expect([ok, checks.filter(({ count }) => count > 0)]).toEqual([true, []]);
      expect(checks.length).toBeGreaterThan(40);
      const response = await fetch(`${running.url}${API_BASE}/database/backup`, {
        headers: { authorization: `Bearer ${running.apiKey ?? ''}` },
      });
      const live = join(home, 'live.backup');
      await writeFile(live, Buffer.from(await response.arrayBuffer()));
      expect(await verifyBackup(live)).toMatchObject({ blobs: 1 });
      await expect.poll(() => readdir(join(dataDir, 'backups.tmp'))).toEqual([]);
    } finally {
      await running.stop();
    }
  });

  test('is checked, exported and backed up while it does not', { timeout: 600_000 }, async () => {
    const findings = await checkDatabase(settings('first'));
    expect(findings.filter(({ count }) => count > 0)).toEqual([]);
    const lines: string[] = [];
    await exportRows(settings('first'), (line) => void lines.push(line));
    expect(lines.some((line) => line.includes(runId))).toBe(true);
    await backupDatabase(settings('first'), backup);
    const { pending } = await migrationStatus(settings('first'));
    expect(pending).toEqual([]);
    expect(await applyMigrations(settings('first'))).toEqual([]);
  });

  test('goes on from its backup in another directory', { timeout: 600_000 }, async () => {
    await restoreFromBackup(settings('second'), backup);
    expect((await checkDatabase(settings('second'))).filter(({ count }) => count > 0)).toEqual([]);
    const running = await start('second');
    try {
      const ask = asker(running);
      expect((await ask('GET', `/runs/${runId}`)).body).toMatchObject({ status: 'completed' });
      const artifacts = await ask('GET', `/runs/${runId}/graph`);
      expect(artifacts.status).toBe(200);
      await work(running);
    } finally {
      await running.stop();
    }
    await expect(restoreFromBackup(settings('second'), backup)).rejects.toMatchObject({
      code: 'not_empty',
    });
  });

  test('that is not there is not made by looking', async () => {
    await expect(checkDatabase(settings('nowhere'))).rejects.toMatchObject({ code: 'not_found' });
    expect(await readdir(home)).not.toContain('nowhere');
  });

  const [, postgres] = freshDatabases();
  test.skipIf(postgres?.isSkipped !== false)(
    'moves to PostgreSQL, and a control plane goes on there',
    { timeout: 600_000 },
    async () => {
      const opened = await postgres?.open();
      if (opened === undefined) throw new Error('no PostgreSQL');
      try {
        await moveTo(settings('first'), opened.location);
        const there = { ...settings('first'), databaseUrl: opened.location };
        expect((await checkDatabase(there)).filter(({ count }) => count > 0)).toEqual([]);
        const running = await startServer({ config: { ...there, port: 0 }, log, isKeyLost: true });
        try {
          const found = await asker(running)('GET', `/runs/${runId}`);
          expect(found.body).toMatchObject({ status: 'completed' });
          await work(running);
        } finally {
          await running.stop();
        }
        expect((await checkDatabase(there)).filter(({ count }) => count > 0)).toEqual([]);
      } finally {
        await opened.close();
      }
    },
  );
});
