import { describe, expect, test } from 'vitest';
import { AppError } from '@baton/contract';
import { assertRefName, readGit, runGit, withoutCredentials } from './git.ts';

describe('names of references', () => {
  test.each(['main', 'feature/x', 'v1.2', 'refs/heads/a', 'a'.repeat(40), 'baton/run_1/t/key-1/2'])(
    '%s is one',
    (ref) => {
      expect(assertRefName(ref)).toBe(ref);
    },
  );

  test.each([
    '',
    '-x',
    '--upload-pack=x',
    'a..b',
    'a b',
    'a\nb',
    'HEAD@{1}',
    'x.lock',
    '/x',
    'x/',
    'a~1',
    '.x',
    'a//b',
  ])('%j is none', (ref) => {
    expect(() => assertRefName(ref)).toThrow(AppError);
  });
});

test("a failure carries git's words without passwords, and a transport outside of the list is refused", async () => {
  const url = 'https://me:secret@127.0.0.1:1/x.git';
  const failing = runGit(['ls-remote', '--', url], { config: 'owner' });
  await expect(failing).rejects.toMatchObject({ code: 'git_failed' });
  await expect(failing).rejects.not.toThrow(/secret/);
  await expect(runGit(['ls-remote', '--', 'ext::sh -c true'])).rejects.toThrow(/not allowed/);
  expect(withoutCredentials('at ssh://git:pw@host/x and https://t@h/y')).toBe(
    'at ssh://host/x and https://h/y',
  );
});

test("nothing of the caller's own git environment or of the user's configuration is used unasked", async () => {
  process.env['GIT_DIR'] = '/nonexistent';
  process.env['GIT_CONFIG_COUNT'] = '1';
  process.env['GIT_CONFIG_KEY_0'] = 'user.name';
  process.env['GIT_CONFIG_VALUE_0'] = 'Somebody';
  try {
    const listed = await readGit(['config', '--list', '--name-only']);
    expect(listed).toContain('core.hookspath');
    expect(listed).not.toContain('user.name');
  } finally {
    for (const name of ['GIT_DIR', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0']) {
      delete process.env[name];
    }
  }
});
