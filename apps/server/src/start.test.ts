import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_BASE } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, startServer } from './start.ts';

const log = pino({ level: 'silent' });
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-start-'));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

/** A server on an embedded database that outlives it, so that it can be started again. */
async function server(config: object = {}) {
  return startServer({
    config: { dataDir, port: 0, unsafeDurability: true, ...config },
    log,
  });
}

async function me(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}${API_BASE}/me`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await response.body?.cancel();
  return response.status;
}

describe('starting', () => {
  test('the first time makes an owner, tells the key once, and keeps neither it nor the code in the clear', async () => {
    const first = await server();
    const { apiKey = '', loginUrl } = first;
    expect(apiKey).toMatch(/^bat_[0-9A-Za-z]{49}$/);
    expect(loginUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login#[0-9A-Za-z]{43}$/);
    expect(await me(first.url, apiKey)).toBe(200);
    await first.stop();
    await first.stop();
    await expect(me(first.url, apiKey)).rejects.toThrow('fetch failed');

    const secret = await stat(join(dataDir, 'instance.secret'));
    expect([secret.mode & 0o777, secret.size]).toEqual([0o600, 32]);

    const second = await server();
    expect(second.apiKey).toBeUndefined();
    expect(second.loginUrl).not.toBe(loginUrl);
    expect(await me(second.url, apiKey)).toBe(200);

    await expect(server()).rejects.toMatchObject({ code: 'data_dir_in_use' });
    await second.stop();

    const code = loginUrl.split('#')[1] ?? '';
    for (const file of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const bytes = await readFile(join(file.parentPath, file.name), 'latin1');
      expect([file.name, bytes.includes(apiKey), bytes.includes(code)]).toEqual([
        file.name,
        false,
        false,
      ]);
    }
  });

  test('beyond this machine without TLS needs to be said', async () => {
    await expect(server({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'insecure_listen' });
    await expect(server({ host: '0.0.0.0' })).rejects.toThrow('--insecure');
  });

  test('with wrong settings tells all of them', async () => {
    await expect(server({ port: -1, databaseUrl: 'mysql://x' })).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(/databaseUrl.*port|port.*databaseUrl/),
    });
  });
});

describe('on a database of its own', () => {
  async function started(config: object = {}) {
    const opened = await freshDatabases()[0]?.open();
    if (opened === undefined) throw new Error('there is no database');
    const dir = await mkdtemp(join(tmpdir(), 'baton-start-'));
    const openDb = async () => opened.db;
    const made = await startApp({
      config: { dataDir: dir, port: 0, ...config },
      log,
      openDb,
    }).catch(async (error: unknown) => {
      await opened.close();
      await rm(dir, { recursive: true, force: true });
      throw error;
    });
    return {
      ...made,
      end: async () => {
        await made.running.stop();
        await opened.close();
        await rm(dir, { recursive: true, force: true });
      },
    };
  }

  test('a port that is taken is named, and how to choose another', async () => {
    const first = await started();
    const port = Number(new URL(first.running.url).port);
    await expect(started({ port })).rejects.toMatchObject({ code: 'port_in_use' });
    await expect(started({ port })).rejects.toThrow('--port');
    await first.end();
  });

  test('a public address is in links and is answered, and its cookie is bound to https', async () => {
    const it = await started({ publicUrl: 'https://tower.example/' });
    expect(it.running.loginUrl).toMatch(/^https:\/\/tower\.example\/login#/);
    expect(it.app.hosts.hosts.has('tower.example')).toBe(true);
    expect(it.app.hosts.secureHost).toBe('tower.example');
    await it.end();
  });

  test('stopping ends open streams, and cuts none of them', async () => {
    const it = await started();
    const { url, apiKey = '' } = it.running;
    const stream = await fetch(`${url}${API_BASE}/events`, {
      headers: { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream' },
    });
    const read = stream.text().catch(() => 'cut');
    await it.running.stop();
    expect(await read).not.toBe('cut');
    await it.end();
  });

  test('readiness follows the database, liveness does not', async () => {
    const it = await started();
    const status = async (path: string) => (await fetch(it.running.url + path)).status;
    expect([await status('/readyz'), await status('/livez'), await status('/healthz')]).toEqual([
      200, 200, 200,
    ]);
    await it.app.db.close();
    await expect.poll(() => status('/readyz')).toBe(503);
    expect([await status('/livez'), await status('/healthz')]).toEqual([200, 200]);
    const asked = await fetch(`${it.running.url}${API_BASE}/runs`, {
      headers: { authorization: `Bearer ${it.running.apiKey}` },
    });
    expect(asked.status).toBe(503);
    expect(asked.headers.get('retry-after')).toBe('1');
    await it.end();
  });
});
