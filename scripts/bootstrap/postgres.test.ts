import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { findSystemPostgres } from './postgres-binaries.mjs';
import { startPostgres } from './postgres.mjs';

const binaries = await findSystemPostgres();

test.skipIf(binaries === undefined)(
  'a throwaway server listens on its socket only and leaves nothing behind',
  async () => {
    if (binaries === undefined) return;
    const server = await startPostgres(binaries);
    const socket = join(server.folder, '.s.PGSQL.5432');
    expect(new URL(server.url).searchParams.get('host')).toBe(server.folder);
    expect(await canConnect(socket)).toBe(true);
    expect(readFileSync(join(server.folder, 'log'), 'utf8')).not.toMatch(/listening on IPv/);
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  },
);

test.skipIf(binaries === undefined)('a killed test run takes its server along', async () => {
  const script = `
    import { findSystemPostgres } from '${import.meta.dirname}/postgres-binaries.mjs';
    import { startPostgres } from '${import.meta.dirname}/postgres.mjs';
    const server = await startPostgres(await findSystemPostgres());
    process.stdout.write(server.folder);
    setInterval(() => {}, 1000);
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const folder = String(await new Promise((resolve) => holder.stdout.once('data', resolve)));
  expect(existsSync(folder)).toBe(true);
  holder.kill('SIGKILL');
  for (let tries = 0; existsSync(folder) && tries < 1_200; tries += 1) await sleep(50);
  expect(existsSync(folder)).toBe(false);
});

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
