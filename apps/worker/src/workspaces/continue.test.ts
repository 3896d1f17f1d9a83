import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseRepoSource } from '../git/repo-source.ts';
import { createAttemptDir } from '../spool/attempt-dir.ts';
import type { WorkspaceRequest } from './workspace.ts';
import { openWorkspaces, type Workspaces } from './workspaces.ts';

let root = '';
let repo = '';
let dataDir = '';
let workspaces: Workspaces;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'baton-continue-'));
  repo = join(root, 'shop');
  dataDir = join(root, 'data');
  workspaces = openWorkspaces({ dataDir });
  mkdirSync(repo);
  git('init', '-q', '-b', 'main');
  writeFileSync(join(repo, 'README.md'), 'shop\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=Person', '-c', 'user.email=person@example.com'];
  return execFileSync('git', [...identity, ...args], { cwd: repo, env, encoding: 'utf8' }).trim();
}

function request(attemptNumber: number, more: Partial<WorkspaceRequest>): WorkspaceRequest {
  const attemptId = `att_${attemptNumber}`;
  return { attemptId, runId: 'run_1', taskKey: 'a', attemptNumber, ...more };
}

test.each(['worktree', 'clone', 'scratch'] as const)(
  'a %s is gone on with as it was left, under a branch of its own',
  async (mode) => {
    const place = mode === 'scratch' ? { mode } : { mode, repo: parseRepoSource(repo) };
    const first = await workspaces.prepare(request(1, place));
    writeFileSync(join(first.path, 'half.txt'), 'half');
    const wake = { kind: 'answer', answer: 'jwt' };
    const second = await workspaces.prepare(
      request(2, { ...place, continueFrom: first.attemptId, wake }),
    );
    expect(second).toMatchObject({ path: first.path, continuedFrom: first.attemptId });
    expect(readFileSync(join(second.path, 'half.txt'), 'utf8')).toBe('half');
    const told = readFileSync(join(second.path, '.baton', 'wake.json'), 'utf8');
    expect(JSON.parse(told)).toEqual(wake);
    expect(workspaces.find(first.attemptId)).toBeUndefined();
    if (mode === 'scratch') return;
    expect(second.branch).toBe('baton/run_1/t/a/2');
    const work = await workspaces.collect(second, { outDir: root, message: 'work' });
    expect(work?.changes.files_created).toEqual(['half.txt']);
  },
);

test('a directory of the user stays taken over a question, and passes to the attempt that goes on', async () => {
  const place = { mode: 'in_place', repo: parseRepoSource(repo) } as const;
  const first = await workspaces.prepare(request(1, place));
  writeFileSync(join(repo, 'half.txt'), 'half');
  const dir = createAttemptDir(dataDir, first.attemptId);
  writeFileSync(join(dir, 'stop.json'), JSON.stringify({ kind: 'yield', reason: 'asks' }));
  const ended = { code: 0, signal: null, reason: 'exited', detail: '', at: '2020-01-01T00:00:00Z' };
  writeFileSync(join(dir, 'exit.json'), JSON.stringify(ended));
  await expect(workspaces.prepare(request(7, place))).rejects.toMatchObject({
    code: 'workspace_busy',
  });
  const second = await workspaces.prepare(
    request(2, { ...place, continueFrom: first.attemptId, wake: { kind: 'resume' } }),
  );
  expect(second.path).toBe(first.path);
  expect(existsSync(join(repo, 'half.txt'))).toBe(true);
  await workspaces.remove(second, []);
});

test.each(['worktree', 'clone', 'scratch'] as const)(
  'what was saved of a %s is gone on with on another machine, not committed as it was',
  async (mode) => {
    const place = mode === 'scratch' ? { mode } : { mode, repo: parseRepoSource(repo) };
    const first = await workspaces.prepare(request(1, place));
    const write = (name: string, text: string) => writeFileSync(join(first.path, name), text);
    write('half.txt', 'half');
    if (mode !== 'scratch') {
      write('README.md', 'changed');
      execFileSync('git', ['add', 'half.txt'], { cwd: first.path });
      const own = ['-c', 'user.name=Agent', '-c', 'user.email=agent@example.com'];
      execFileSync('git', [...own, 'commit', '-qm', 'half'], { cwd: first.path });
      write('other.txt', 'other');
    }
    const before = tracked(first.path, mode);
    const outDir = join(root, 'attempt');
    const file = await workspaces.save(first, outDir);
    if (file === undefined) throw new Error('nothing was saved');
    expect(tracked(first.path, mode)).toBe(before);

    const elsewhere = openWorkspaces({ dataDir: join(root, 'elsewhere') });
    const more = { ...place, wake: { kind: 'resume' }, continueFrom: first.attemptId };
    const saved = { attemptId: first.attemptId, ...file };
    const second = await elsewhere.prepare(request(2, { ...more, saved }));
    expect(second).toMatchObject({ restoredFrom: first.attemptId });
    expect(second.notRestored).toBeUndefined();
    expect(readFileSync(join(second.path, 'half.txt'), 'utf8')).toBe('half');
    expect(existsSync(join(second.path, '.baton', 'wake.json'))).toBe(true);
    expect(tracked(second.path, mode)).toBe(before);
    if (mode === 'scratch') return;
    const work = await elsewhere.collect(second, { outDir: root, message: 'work' });
    expect(work?.base).toBe(first.base);
    expect(work?.changes).toMatchObject({
      files_created: ['half.txt', 'other.txt'],
      files_modified: ['README.md'],
    });
  },
);

/** What is committed and what is not, as git tells it. */
function tracked(path: string, mode: string): string {
  if (mode === 'scratch') return '';
  const say = (...args: string[]) => execFileSync('git', args, { cwd: path, encoding: 'utf8' });
  return `${say('log', '--format=%s %T')}${say('status', '--porcelain')}`;
}

test('saved work that cannot be read is done without, and why is said', async () => {
  const place = { repo: parseRepoSource(repo) };
  const first = await workspaces.prepare(request(1, place));
  expect(await workspaces.save(first, root)).toBeUndefined();
  writeFileSync(join(first.path, 'half.txt'), 'half');
  const file = await workspaces.save(first, root);
  if (file === undefined) throw new Error('nothing was saved');
  writeFileSync(file.file, 'no bundle');
  const elsewhere = openWorkspaces({ dataDir: join(root, 'elsewhere') });
  const saved = { attemptId: first.attemptId, ...file };
  const second = await elsewhere.prepare(request(2, { ...place, saved }));
  expect(second.notRestored).toContain('cannot be read');
  expect(second.restoredFrom).toBeUndefined();
  expect(existsSync(join(second.path, 'README.md'))).toBe(true);
});

test('what lies on another machine is begun anew', async () => {
  const place = { repo: parseRepoSource(repo), wake: { kind: 'answer', answer: 'x' } };
  const made = await workspaces.prepare(request(2, { ...place, continueFrom: 'att_elsewhere' }));
  expect(made.continuedFrom).toBeUndefined();
  expect(existsSync(join(made.path, '.baton', 'wake.json'))).toBe(true);
});
