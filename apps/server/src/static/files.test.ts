import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardFiles } from './dashboard.ts';

let root: string;
beforeAll(async () => {
  const base = await mkdtemp(join(tmpdir(), 'baton-static-'));
  root = join(base, 'dist');
  await mkdir(join(root, 'assets'), { recursive: true });
  await writeFile(join(root, 'index.html'), '<p>page</p>');
  await writeFile(join(root, 'assets/app-1a2b.js'), '1');
  await writeFile(join(root, 'favicon.svg'), '<svg/>');
  await writeFile(join(base, 'secret.txt'), 'secret');
});
afterAll(async () => {
  await rm(join(root, '..'), { recursive: true, force: true });
});

describe('the dashboard’s files', () => {
  test.each(['/', '/runs', '/runs/run_1', '/login'])('%s is the one page', async (path) => {
    const response = await dashboardFiles(root)(path);
    expect(await response?.text()).toBe('<p>page</p>');
    expect(response?.headers.get('cache-control')).toBe('no-cache');
  });

  test('a file with a hash in its name is kept for good', async () => {
    const response = await dashboardFiles(root)('/assets/app-1a2b.js');
    expect(response?.headers.get('cache-control')).toContain('immutable');
    expect(response?.headers.get('content-type')).toContain('javascript');
    await response?.body?.cancel();
  });

  test.each([
    '/assets/missing.js',
    '/assets/',
    '/missing.svg',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%00.js',
    '/%E0%A4%A.js',
    '/..\\secret.txt',
  ])('%s is nothing', async (path) => {
    expect(await dashboardFiles(root)(path)).toBeUndefined();
  });

  test('without a build a page says what to do', async () => {
    const response = await dashboardFiles(join(root, 'nowhere'))('/');
    expect(await response?.text()).toContain('npm run build');
  });
});
