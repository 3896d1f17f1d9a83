import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '@baton/contract';
import { parseRepoSource } from '../git/repo-source.ts';
import { openWorkspaces } from '../workspaces/workspaces.ts';
import { deliver, type DeliveryRequest } from './deliver.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-deliver-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let home: string;
let repo: string;
let request: DeliveryRequest;
let attempts = 0;

beforeEach(async () => {
  home = mkdtempSync(join(root, 'case-'));
  repo = join(home, 'shop');
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  writeFileSync(join(repo, 'a.txt'), 'a\n');
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'first');
  request = await work('result.txt', parseRepoSource(repo));
});

function git(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=Person', '-c', 'user.email=person@example.com'];
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[];
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio }).trim();
}

/** A finished attempt on `source` that added one file. */
async function work(
  file: string,
  source: ReturnType<typeof parseRepoSource>,
  ref?: string,
): Promise<DeliveryRequest> {
  attempts += 1;
  const workspaces = openWorkspaces({ dataDir: join(home, 'data') });
  const attemptId = `att_${attempts}`;
  const workspace = await workspaces.prepare({
    attemptId,
    runId: 'run_1',
    taskKey: 'merge',
    attemptNumber: attempts,
    repo: source,
    ...(ref === undefined ? {} : { ref }),
  });
  writeFileSync(join(workspace.path, file), 'made\n');
  const done = await workspaces.collect(workspace, {
    outDir: join(home, attemptId),
    message: 'merge',
  });
  if (done === null) throw new Error('no work');
  const cacheDir = workspace.cacheDir ?? '';
  return {
    mode: 'branch',
    repo: source,
    cacheDir,
    commit: done.commit,
    branch: 'baton/run_1/merged',
  };
}

/** All that is in a repository but its objects, and which files lie in its work tree. */
function stateOf(dir: string): Record<string, string> {
  const options = { cwd: dir, encoding: 'utf8' } as const;
  const files = execFileSync('find', ['.', '-type', 'f', '-not', '-path', '*/objects/*'], options);
  // Reflogs are git's own diary of the references; the index is rewritten by a mere look.
  const isState = (name: string): boolean => !/^$|\/index$|^\.\/\.git\/logs\//.test(name);
  const names = files.split('\n').filter(isState);
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('deliver: branch', () => {
  test('adds one reference to the repository and nothing else, however often', async () => {
    const before = stateOf(repo);
    expect(await deliver(request)).toMatchObject({ branch: 'baton/run_1/merged', merged: null });
    await deliver(request);
    const file = './.git/refs/heads/baton/run_1/merged';
    expect(stateOf(repo)).toEqual({ ...before, [file]: `${request.commit}\n` });
    expect(existsSync(join(repo, '.git/objects/info/alternates'))).toBe(false);
    expect(git(repo, 'status', '--porcelain')).toBe('');
    expect(git(repo, 'fsck', '--full')).toBe('');
    rmSync(join(home, 'data'), { recursive: true });
    expect(git(repo, 'show', 'baton/run_1/merged:result.txt')).toBe('made');
  });

  test('runs no hook of the repository', async () => {
    for (const hook of [
      'pre-receive',
      'update',
      'post-receive',
      'post-merge',
      'reference-transaction',
    ]) {
      const path = join(repo, '.git/hooks', hook);
      writeFileSync(path, `#!/bin/sh\ntouch ${home}/canary\n`);
      chmodSync(path, 0o755);
    }
    await deliver(request);
    await deliver({ ...request, mode: 'merge', ref: 'main' });
    expect(existsSync(join(home, 'canary'))).toBe(false);
  });

  test('replaces what Baton delivered before, but never what somebody else put there', async () => {
    await deliver(request);
    const second = await work('other.txt', request.repo);
    await deliver(second);
    expect(git(repo, 'rev-parse', 'baton/run_1/merged')).toBe(second.commit);
    const theirs = git(repo, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', 'theirs');
    git(repo, 'update-ref', 'refs/heads/baton/run_1/merged', theirs);
    const refused = await refusal(deliver(request));
    expect(refused.code).toBe('delivery_refused');
    expect(git(repo, 'rev-parse', 'baton/run_1/merged')).toBe(theirs);
  });

  test('works for a bare repository and for an address', async () => {
    const bare = join(home, 'bare.git');
    git(home, 'clone', '-q', '--bare', repo, bare);
    const source = parseRepoSource(`file://${bare}`);
    const made = await work('x.txt', source);
    await deliver({ ...made, mode: 'merge' });
    expect(git(bare, 'rev-parse', 'main')).toBe(made.commit);
  });

  test('none does nothing; a missing repository and a hostile name are refused', async () => {
    const before = stateOf(repo);
    await deliver({ ...request, mode: 'none' });
    expect(stateOf(repo)).toEqual(before);
    expect((await refusal(deliver({ ...request, branch: '--mirror' }))).code).toBe('ref_not_found');
    rmSync(repo, { recursive: true });
    expect((await refusal(deliver(request))).code).toBe('repo_not_found');
  });
});

describe('deliver: merge', () => {
  const merge = (more: Partial<DeliveryRequest> = {}): DeliveryRequest => ({
    ...request,
    mode: 'merge',
    ref: 'main',
    ...more,
  });

  test('a branch that is checked out clean moves together with its files', async () => {
    writeFileSync(join(repo, 'untracked.txt'), 'mine');
    expect(await deliver(merge())).toMatchObject({ merged: 'main' });
    expect(git(repo, 'rev-parse', 'main')).toBe(request.commit);
    expect(readFileSync(join(repo, 'result.txt'), 'utf8')).toBe('made\n');
    expect(git(repo, 'status', '--porcelain')).toBe('?? untracked.txt');
    expect(existsSync(join(repo, '.git/FETCH_HEAD'))).toBe(false);
    await deliver(merge());
  });

  test('where it is checked out with changes, it is refused with the command that then works', async () => {
    writeFileSync(join(repo, 'a.txt'), 'mine\n');
    const head = git(repo, 'rev-parse', 'main');
    const refused = await refusal(deliver(merge()));
    expect(refused.code).toBe('delivery_refused');
    expect(refused.message).toContain('with changes');
    expect(git(repo, 'rev-parse', 'main')).toBe(head);
    expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('mine\n');
    execFileSync('sh', ['-c', String(refused.publicDetail['command'])], { stdio: 'ignore' });
    expect(git(repo, 'rev-parse', 'main')).toBe(request.commit);
  });

  test('an untracked file in the way is not overwritten', async () => {
    writeFileSync(join(repo, 'result.txt'), 'precious');
    expect((await refusal(deliver(merge()))).code).toBe('delivery_refused');
    expect(readFileSync(join(repo, 'result.txt'), 'utf8')).toBe('precious');
  });

  test('a branch that is not checked out moves without touching any file', async () => {
    git(repo, 'checkout', '-q', '-b', 'elsewhere');
    writeFileSync(join(repo, 'a.txt'), 'dirty\n');
    await deliver(merge());
    expect(git(repo, 'rev-parse', 'main')).toBe(request.commit);
    expect(git(repo, 'symbolic-ref', '--short', 'HEAD')).toBe('elsewhere');
    expect(existsSync(join(repo, 'result.txt'))).toBe(false);
    expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('dirty\n');
  });

  test('a branch with newer commits is left alone; the branch of the run is there to merge', async () => {
    writeFileSync(join(repo, 'newer.txt'), 'n');
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'newer');
    const newer = git(repo, 'rev-parse', 'main');
    expect((await refusal(deliver(merge()))).code).toBe('delivery_refused');
    expect(git(repo, 'rev-parse', 'main')).toBe(newer);
    git(repo, 'checkout', '-q', '-b', 'side');
    const refused = await refusal(deliver(merge()));
    expect(git(repo, 'rev-parse', 'main')).toBe(newer);
    execFileSync(
      'sh',
      ['-c', `git config --global -l >/dev/null 2>&1; ${String(refused.publicDetail['command'])}`],
      {
        stdio: 'ignore',
        env: {
          ...process.env,
          GIT_AUTHOR_NAME: 'P',
          GIT_AUTHOR_EMAIL: 'p@example.com',
          GIT_COMMITTER_NAME: 'P',
          GIT_COMMITTER_EMAIL: 'p@example.com',
          GIT_EDITOR: 'true',
        },
      },
    );
    expect(git(repo, 'merge-base', '--is-ancestor', request.commit, 'main')).toBe('');
  });
});
