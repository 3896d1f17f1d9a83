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

test('what lies on another machine is begun anew', async () => {
  const place = { repo: parseRepoSource(repo), wake: { kind: 'answer', answer: 'x' } };
  const made = await workspaces.prepare(request(2, { ...place, continueFrom: 'att_elsewhere' }));
  expect(made.continuedFrom).toBeUndefined();
  expect(existsSync(join(made.path, '.baton', 'wake.json'))).toBe(true);
});
