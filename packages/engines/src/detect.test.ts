import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeAgentsDir } from '@baton/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import type { Detection, Env } from './engine.ts';
import { findEngine } from './registry.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-detect-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const systemPath = process.env['PATH'] ?? '';

async function detect(engine: string, env: Env): Promise<Detection> {
  const found = await findEngine(engine)?.detect({ HOME: root, ...env });
  if (found === undefined) throw new Error(`no engine ${engine}`);
  return found;
}

/** A directory with a program of this name and text. */
function pathWith(name: string, script: string): string {
  const folder = mkdtempSync(join(root, 'bin-'));
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return `${folder}:/usr/bin:/bin`;
}

describe.each(['claude', 'codex'])('looking for %s', (name) => {
  const fakePath = `${fakeAgentsDir}:${systemPath}`;

  test('an installed one that is logged in is found with its version', async () => {
    expect(await detect(name, { PATH: fakePath })).toEqual({
      found: true,
      path: join(fakeAgentsDir, name),
      version: findEngine(name)?.testedVersion,
      auth: 'ok',
      newerThanTested: false,
      problem: null,
    });
  });

  test('one that is not logged in is told with the way out', async () => {
    const found = await detect(name, { PATH: fakePath, FAKE_AGENT_LOGGED_OUT: '1' });
    expect(found).toMatchObject({ found: true, auth: 'missing' });
    expect(found.problem).toMatch(/is not logged in: run `(claude auth|codex) login`/);
  });

  test('a key in the environment is a login', async () => {
    const key = name === 'claude' ? 'ANTHROPIC_API_KEY' : 'CODEX_API_KEY';
    const env = { PATH: fakePath, FAKE_AGENT_LOGGED_OUT: '1', [key]: 'x' };
    expect(await detect(name, env)).toMatchObject({ auth: 'ok', problem: null });
  });

  test('one that is not there is told with the way to get it', async () => {
    const found = await detect(name, { PATH: '/nowhere' });
    expect(found).toMatchObject({ found: false, path: null, version: null });
    expect(found.problem).toContain('npm install -g');
  });

  test('a newer version than tested is used, and told', async () => {
    const found = await detect(name, { PATH: pathWith(name, 'echo "99.0.1 (x)"') });
    expect(found).toMatchObject({ found: true, version: '99.0.1', newerThanTested: true });
  });

  test('a program that is broken is not used', async () => {
    const found = await detect(name, { PATH: pathWith(name, 'echo oops; exit 1') });
    expect(found).toMatchObject({ found: false, problem: expect.stringContaining('--version') });
  });

  test('a directory of that name is no program', async () => {
    mkdirSync(join(root, 'dir', name), { recursive: true });
    expect(await detect(name, { PATH: join(root, 'dir') })).toMatchObject({ found: false });
  });
});

test('a codex with a provider of its own may or may not be logged in', async () => {
  const home = mkdtempSync(join(root, 'codex-'));
  writeFileSync(join(home, 'config.toml'), 'model_provider = "mine"\n');
  const env = { PATH: `${fakeAgentsDir}:${systemPath}`, CODEX_HOME: home };
  expect(await detect('codex', env)).toMatchObject({ auth: 'unknown', problem: null });
});

test('the shell is found and needs no login', async () => {
  expect(await detect('shell', { PATH: systemPath })).toMatchObject({ found: true, auth: 'ok' });
  expect(await detect('shell', { PATH: '' })).toMatchObject({ found: false });
});
