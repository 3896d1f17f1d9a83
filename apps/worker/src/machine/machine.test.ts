import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '@baton/contract';
import { readMachineFacts } from './facts.ts';
import { detectLanguages, detectTools, findProgram } from './programs.ts';
import { detectRepos } from './repos.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-machine-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function makeRepo(path: string, ...args: readonly string[]): string {
  const dir = join(root, path);
  mkdirSync(dir, { recursive: true });
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' };
  execFileSync('git', ['init', '-q', ...args], { cwd: dir, env });
  return dir;
}

beforeAll(() => {
  const shop = makeRepo('code/shop', '-b', 'trunk');
  const url = 'https://me:secret@host.org/team/shop.git';
  execFileSync('git', ['remote', 'add', 'origin', url], { cwd: shop });
  makeRepo('code/team/api', '-b', 'main');
  makeRepo('code/shop/inner', '-b', 'main');
  makeRepo('code/node_modules/dep', '-b', 'main');
  makeRepo('code/a/b/c/too-deep', '-b', 'main');
  makeRepo('code/bare.git', '--bare', '-b', 'main');
});

describe('repositories', () => {
  test('are found to a depth of three, with origin and default branch, without passwords', async () => {
    const found = await detectRepos({ declared: [], scan: [join(root, 'code')] });
    expect(found).toEqual([
      { name: 'bare', path: join(root, 'code/bare.git'), default_branch: 'main' },
      {
        name: 'shop',
        path: join(root, 'code/shop'),
        url: 'https://host.org/team/shop.git',
        default_branch: 'trunk',
      },
      { name: 'api', path: join(root, 'code/team/api'), default_branch: 'main' },
    ]);
  });

  test('declared ones come first and keep their name', async () => {
    const api = join(root, 'code/team/api');
    const found = await detectRepos({
      declared: [
        'gateway',
        `backend=${api}`,
        'web=https://u:p@host.org/web',
        join(root, 'code/shop'),
      ],
      scan: [join(root, 'code/team')],
    });
    expect(found.map(({ name, path, url }) => ({ name, path, url }))).toEqual([
      { name: 'gateway', path: undefined, url: undefined },
      { name: 'backend', path: api, url: undefined },
      { name: 'web', path: undefined, url: 'https://host.org/web' },
      { name: 'shop', path: join(root, 'code/shop'), url: 'https://host.org/team/shop.git' },
    ]);
  });

  test('a declared path that is no repository is refused by its flag', async () => {
    const wrong = detectRepos({ declared: ['x=/no/such/place'], scan: [] });
    await expect(wrong).rejects.toThrow(AppError);
    await expect(wrong).rejects.toThrow(/--repo x=\/no\/such\/place/);
  });
});

describe('languages and tools', () => {
  test('are seen by programs and by files; declared languages win', () => {
    const bin = join(root, 'bin');
    const repo = join(root, 'code/shop');
    mkdirSync(bin);
    for (const name of ['cargo', 'git', 'go']) writeFileSync(join(bin, name), '');
    chmodSync(join(bin, 'cargo'), 0o755);
    chmodSync(join(bin, 'git'), 0o755);
    writeFileSync(join(repo, 'pyproject.toml'), '');
    const seen = detectLanguages({ pathVariable: bin, repoPaths: [repo] });
    expect(seen).toEqual(['python', 'rust']);
    const declared = ['Rust', ' zig '];
    expect(detectLanguages({ pathVariable: bin, declared })).toEqual(['rust', 'zig']);
    expect(detectTools({ pathVariable: bin, declared: ['terraform'] })).toEqual([
      'git',
      'terraform',
    ]);
    expect(findProgram('go', bin)).toBeUndefined();
  });
});

test('facts of the machine are plausible', async () => {
  const facts = await readMachineFacts(root);
  expect(facts.cpu).toBeGreaterThan(0);
  expect(facts.memory_bytes).toBeGreaterThan(freemem());
  expect(facts.disk_free_bytes).toBeGreaterThan(0);
  expect(['linux', 'macos', 'windows']).toContain(facts.os);
});
