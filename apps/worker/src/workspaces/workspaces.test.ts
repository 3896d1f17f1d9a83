import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '@baton/contract';
import { parseRepoSource } from '../git/repo-source.ts';
import { missingFiles } from './collect.ts';
import { readDotBaton } from './dot-baton.ts';
import { mergeCommits } from './merge.ts';
import { findWorkspace, type Workspace, type WorkspaceRequest } from './workspace.ts';
import { openWorkspaces, type Workspaces } from './workspaces.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-workspaces-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let home: string;
let repo: string;
let dataDir: string;
let workspaces: Workspaces;
let numbers = 0;

beforeEach(() => {
  home = mkdtempSync(join(root, 'case-'));
  repo = join(home, 'shop');
  dataDir = join(home, 'data');
  workspaces = openWorkspaces({ dataDir });
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  write(repo, {
    'README.md': 'shop\n',
    'src/a.txt': 'one\ntwo\nthree\n',
    '.gitignore': '.env\nnode_modules\n',
  });
  commit(repo, 'first');
});

function git(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=Person', '-c', 'user.email=person@example.com'];
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[];
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio }).trim();
}

function write(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

function commit(dir: string, message: string): string {
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '-m', message);
  return git(dir, 'rev-parse', 'HEAD');
}

function request(more: Partial<WorkspaceRequest> = {}): WorkspaceRequest {
  numbers += 1;
  return {
    attemptId: `att_${numbers}`,
    runId: 'run_1',
    taskKey: `task-${numbers}`,
    attemptNumber: 1,
    repo: parseRepoSource(repo),
    ...more,
  };
}

async function collect(workspace: Workspace, more: object = {}) {
  const outDir = join(dataDir, 'attempts', workspace.attemptId);
  const work = await workspaces.collect(workspace, { outDir, message: 'task: do it', ...more });
  if (work === null) throw new Error('no git here');
  return work;
}

/** Everything in a repository that somebody could miss: references, configuration, files, status. */
function stateOf(dir: string): object {
  return {
    refs: git(dir, 'for-each-ref'),
    head: readFileSync(join(dir, '.git/HEAD'), 'utf8'),
    config: readFileSync(join(dir, '.git/config'), 'utf8'),
    status: git(dir, 'status', '--porcelain', '--ignored'),
    worktrees: git(dir, 'worktree', 'list'),
    admin: execFileSync('find', ['.git', '-not', '-path', '*/objects/*'], {
      cwd: dir,
      encoding: 'utf8',
    })
      .split('\n')
      .toSorted(),
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('a worktree workspace', () => {
  test('starts at the ref, on a branch of its own, and leaves the repository untouched', async () => {
    const before = stateOf(repo);
    const head = git(repo, 'rev-parse', 'HEAD');
    const workspace = await workspaces.prepare(request({ taskKey: 'build', attemptNumber: 2 }));
    expect(workspace).toMatchObject({
      mode: 'worktree',
      base: head,
      refCommit: head,
      conflict: null,
    });
    expect(git(workspace.path, 'symbolic-ref', 'HEAD')).toBe('refs/heads/baton/run_1/t/build/2');
    expect(readFileSync(join(workspace.path, 'src/a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(stateOf(repo)).toEqual(before);
  });

  test('.baton holds the inputs and is invisible to git status and to git add', async () => {
    const workspace = await workspaces.prepare(request({ inputs: { api_schema: { a: 1 } } }));
    const input = join(workspace.path, '.baton/inputs/api_schema.json');
    expect(JSON.parse(readFileSync(input, 'utf8'))).toEqual({ a: 1 });
    expect(git(workspace.path, 'status', '--porcelain')).toBe('');
    git(workspace.path, 'add', '-A');
    expect(git(workspace.path, 'status', '--porcelain')).toBe('');
    expect(await collect(workspace)).toMatchObject({ hasChanges: false, commit: workspace.base });
  });

  test('what the agent left is committed, described, and reproducible from patch and bundle', async () => {
    const workspace = await workspaces.prepare(request());
    write(workspace.path, {
      'src/a.txt': 'one\n2\nthree\n',
      'src/new.txt': 'new\n',
      'bin.dat': '\0\x01\0',
    });
    rmSync(join(workspace.path, 'README.md'));
    const identity = { name: 'Agent', email: 'agent@localhost' };
    const work = await collect(workspace, { identity });
    expect(work).toMatchObject({
      base: workspace.base,
      hasChanges: true,
      branch: workspace.branch,
      violations: [],
      changes: {
        files_modified: ['src/a.txt'],
        files_created: ['bin.dat', 'src/new.txt'],
        files_deleted: ['README.md'],
        insertions: 2,
        deletions: 2,
      },
    });
    expect(git(workspace.path, 'log', '-1', '--format=%an <%ae> %s')).toBe(
      'Agent <agent@localhost> task: do it',
    );
    expect(git(workspace.path, 'status', '--porcelain')).toBe('');
    const other = join(home, 'other');
    git(home, 'clone', '-q', repo, other);
    git(other, 'apply', '--index', work.patchFile ?? '');
    expect(git(other, 'write-tree')).toBe(git(workspace.path, 'rev-parse', 'HEAD^{tree}'));
    git(other, 'fetch', '-q', work.bundleFile ?? '', 'refs/heads/*:refs/heads/x/*');
    expect(git(other, 'rev-parse', `x/${work.branch}`)).toBe(work.commit);
  });

  test('commits the agent made itself are the result, also when it left its branch', async () => {
    const workspace = await workspaces.prepare(request());
    git(workspace.path, 'checkout', '-q', '-b', 'my-own');
    write(workspace.path, { 'x.txt': 'x' });
    const made = commit(workspace.path, 'by the agent');
    const work = await collect(workspace);
    expect(work).toMatchObject({ commit: made, changes: { files_created: ['x.txt'] } });
    expect(git(workspace.path, 'rev-parse', work.branch)).toBe(made);
  });

  test('neither hooks, nor configuration planted in the cache, nor a stale lock hinder or run', async () => {
    const canary = join(home, 'canary');
    const evil = join(home, 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${canary}\ncat\n`);
    chmodSync(evil, 0o755);
    const workspace = await workspaces.prepare(request());
    const common = git(workspace.path, 'rev-parse', '--git-common-dir');
    mkdirSync(join(common, 'hooks'), { recursive: true });
    for (const hook of ['pre-commit', 'post-commit', 'reference-transaction', 'post-checkout']) {
      writeFileSync(join(common, 'hooks', hook), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    }
    git(workspace.path, 'config', 'filter.evil.clean', evil);
    git(workspace.path, 'config', 'core.fsmonitor', evil);
    git(workspace.path, 'config', 'diff.external', evil);
    write(workspace.path, { '.gitattributes': '* filter=evil diff=evil\n', 'x.txt': 'x' });
    writeFileSync(join(workspace.gitDir ?? '', 'index.lock'), '');
    const work = await collect(workspace);
    expect(work.changes.files_created).toEqual(['.gitattributes', 'x.txt']);
    await workspaces.prepare(request());
    expect(existsSync(canary)).toBe(false);
  });

  test('a repository made inside is kept at its commit, and nothing of its configuration runs', async () => {
    const canary = join(home, 'canary');
    const evil = join(home, 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    const workspace = await workspaces.prepare(request());
    const nested = ['dirty', 'moved'].map((name) => join(workspace.path, name));
    for (const dir of nested) {
      git(workspace.path, 'init', '-q', dir);
      write(dir, { 'a.txt': '1' });
      commit(dir, 'one');
    }
    commit(workspace.path, 'with repositories inside');
    const [dirty = '', moved = ''] = nested;
    write(moved, { 'a.txt': '2' });
    const second = commit(moved, 'two');
    for (const dir of nested) {
      write(dir, { '.git/info/attributes': '* filter=evil' });
      for (const name of ['core.fsmonitor', 'filter.evil.clean']) git(dir, 'config', name, evil);
    }
    write(dirty, { 'a.txt': '3' });
    write(workspace.path, { 'x.txt': 'x' });
    const work = await collect(workspace);
    expect(existsSync(canary)).toBe(false);
    expect(work.changes.files_created).toEqual(['dirty', 'moved', 'x.txt']);
    expect(git(workspace.path, 'rev-parse', `${work.commit}:moved`)).toBe(second);
  });

  test('paths outside of the allowed ones are listed, whether given as directory, file or glob', async () => {
    const workspace = await workspaces.prepare(request());
    write(workspace.path, {
      'src/deep/b.txt': 'b',
      'docs/x.md': 'x',
      'docs/x.png': 'x',
      'README.md': 'y',
    });
    const work = await collect(workspace, { allowedPaths: ['src/', 'docs/*.md'] });
    expect(work.violations).toEqual(['README.md', 'docs/x.png']);
    const all = await collect(workspace, { allowedPaths: ['.'] });
    expect(all.violations).toEqual([]);
  });

  test('eight at once, from nothing, all work', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => workspaces.prepare(request())));
    expect(new Set(made.map((it) => it.path)).size).toBe(8);
    for (const it of made) expect(git(it.path, 'status', '--porcelain')).toBe('');
  });

  test('a worktree is made while others fetch what is new, and no fetch fails of it', async () => {
    const made: Promise<Workspace>[] = [];
    for (let number = 0; number < 16; number++) {
      write(repo, { 'news.txt': String(number) });
      commit(repo, `news ${number}`);
      made.push(workspaces.prepare(request()));
      // Lets those under way get to different steps of their work.
      await made[number - 3];
    }
    await Promise.all(made);
  });

  test('what the user commits later is seen by the next one, and no branch of a task is pruned', async () => {
    const first = await workspaces.prepare(request());
    write(repo, { 'later.txt': 'later' });
    const later = commit(repo, 'later');
    const second = await workspaces.prepare(request());
    expect(second.base).toBe(later);
    const branches = git(second.path, 'branch', '--format=%(refname:short)').split('\n');
    expect(branches).toContain(first.branch);
    const pinned = await workspaces.prepare(request({ refCommit: first.base ?? '' }));
    expect(pinned.base).toBe(first.base);
  });

  test('branches, tags, short and full commits are found', async () => {
    git(repo, 'tag', 'v1');
    git(repo, 'checkout', '-q', '-b', 'feature/x');
    write(repo, { 'f.txt': 'f' });
    const feature = commit(repo, 'feature');
    git(repo, 'checkout', '-q', 'main');
    const main = git(repo, 'rev-parse', 'main');
    for (const [ref, wanted] of [
      ['feature/x', feature],
      ['refs/heads/feature/x', feature],
      ['v1', main],
      [feature.slice(0, 10), feature],
      [main, main],
    ]) {
      expect((await workspaces.prepare(request({ ref: ref ?? '' }))).base).toBe(wanted);
    }
  });

  test('a path inside the repository starts the agent there; a file URL and a bare repository work', async () => {
    const inside = await workspaces.prepare(request({ repo: parseRepoSource(join(repo, 'src')) }));
    expect(inside.cwd).toBe(join(inside.path, 'src'));
    expect(inside.repo?.identity).toBe(repo);
    const url = await workspaces.prepare(request({ repo: parseRepoSource(`file://${repo}`) }));
    expect(url.cacheDir).toBe(inside.cacheDir);
    const bare = join(home, 'bare.git');
    git(home, 'clone', '-q', '--bare', repo, bare);
    const fromBare = await workspaces.prepare(request({ repo: parseRepoSource(bare) }));
    expect(fromBare.base).toBe(inside.base);
  });

  test('copied files are there and stay out of the result, ignored or not', async () => {
    write(repo, { '.env': 'KEY=1', 'local.cfg': 'c' });
    const out = join(home, 'out');
    mkdirSync(out);
    mkdirSync(join(repo, 'later'));
    write(repo, { 'later/secret': 's' });
    git(repo, 'checkout', '-q', '-b', 'redirect');
    git(repo, 'rm', '-q', '--cached', '-r', '--ignore-unmatch', 'later');
    const link = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: repo, input: out });
    const entry = `120000,${String(link).trim()},later`;
    git(repo, 'update-index', '--add', '--cacheinfo', entry);
    git(repo, 'commit', '-q', '-m', 'a link in the place of a directory');
    const copy = [
      '.env',
      'local.cfg',
      'absent',
      '../case/x',
      '/etc/hosts',
      'later/secret',
      '.git/config',
    ];
    const workspace = await workspaces.prepare(request({ copy }));
    expect(readFileSync(join(workspace.path, '.env'), 'utf8')).toBe('KEY=1');
    expect(workspace.copied).toEqual(['.env', 'local.cfg']);
    expect(workspace.notCopied).toEqual(copy.slice(2));
    expect(existsSync(join(out, 'secret'))).toBe(false);
    write(workspace.path, { 'mine.txt': 'm' });
    expect((await collect(workspace)).changes.files_created).toEqual(['mine.txt']);
  });

  test('a setup script runs in it; when it fails, its last lines are in the error', async () => {
    const setupEnv = { PATH: process.env['PATH'] ?? '', GREETING: 'hello' };
    const good = await workspaces.prepare(
      request({ setup: 'mkdir node_modules; echo $GREETING > node_modules/x', setupEnv }),
    );
    expect(readFileSync(join(good.path, 'node_modules/x'), 'utf8')).toBe('hello\n');
    const bad = workspaces.prepare(request({ setup: 'echo no such thing >&2; exit 3', setupEnv }));
    await expect(bad).rejects.toThrow(/ended with 3[^]*no such thing/);
    const slow = workspaces.prepare(
      request({ setup: 'sleep 30 & sleep 30', setupEnv, setupTimeoutMs: 100 }),
    );
    await expect(slow).rejects.toThrow(/took longer than 100 ms/);
  });
});

describe('work that builds on other work', () => {
  /** One attempt that writes files; returns what it handed in. */
  async function done(
    files: Readonly<Record<string, string>>,
    more: Partial<WorkspaceRequest> = {},
  ) {
    const workspace = await workspaces.prepare(request(more));
    write(workspace.path, files);
    return { key: workspace.taskKey, ...(await collect(workspace)) };
  }

  test("starts from its upstream's commit, from the merge of several, and skips what is contained", async () => {
    const design = await done({ 'design.txt': 'd' });
    const left = await done({ 'left.txt': 'l' }, { upstreams: [design] });
    const right = await done({ 'right.txt': 'r' }, { upstreams: [design] });
    expect(left.base).toBe(design.commit);
    expect(left.changes.files_created).toEqual(['left.txt']);
    const joined = await workspaces.prepare(request({ upstreams: [design, left, right] }));
    expect(joined.conflict).toBeNull();
    for (const file of ['design.txt', 'left.txt', 'right.txt']) {
      expect(existsSync(join(joined.path, file))).toBe(true);
    }
    expect(git(joined.path, 'rev-list', '--parents', '-1', 'HEAD').split(' ').slice(1)).toEqual([
      left.commit,
      right.commit,
    ]);
    expect(await collect(joined)).toMatchObject({ hasChanges: false, base: joined.base });
  });

  test('a conflict of upstreams is data, its markers are in the files, and its resolution is the result', async () => {
    const left = await done({ 'src/a.txt': 'left\n' });
    const right = await done({ 'src/a.txt': 'right\n' });
    const third = await done({ 'third.txt': '3' });
    const workspace = await workspaces.prepare(request({ upstreams: [left, right, third] }));
    expect(workspace.conflict).toEqual({
      files: ['src/a.txt'],
      sides: [
        { key: left.key, commit: left.commit },
        expect.objectContaining({ key: right.key, commit: right.commit }),
      ],
      remaining: [expect.objectContaining({ key: third.key })],
    });
    expect(readFileSync(join(workspace.path, 'src/a.txt'), 'utf8')).toContain('<<<<<<<');
    write(workspace.path, { 'src/a.txt': 'both\n' });
    const work = await collect(workspace);
    expect(work.unresolved).toEqual([]);
    const parents = git(workspace.path, 'rev-list', '--parents', '-1', 'HEAD').split(' ').slice(1);
    expect(parents).toEqual([left.commit, right.commit]);

    const careless = await workspaces.prepare(request({ upstreams: [left, right] }));
    expect((await collect(careless)).unresolved).toEqual(['src/a.txt']);
  });

  test('an upstream made by another worker arrives as a bundle', async () => {
    const elsewhere = openWorkspaces({ dataDir: join(home, 'other-worker') });
    const base = await done({ 'one.txt': '1' });
    const theirs = await elsewhere.prepare(
      request({ upstreams: [{ ...base, bundleFile: base.bundleFile ?? '' }] }),
    );
    write(theirs.path, { 'two.txt': '2' });
    const outDir = join(home, 'out');
    const work = await elsewhere.collect(theirs, { outDir, message: 'm' });
    rmSync(join(dataDir), { recursive: true });
    // A worker that has neither commit: the bundle holds all that the repository lacks.
    const side = { key: 'theirs', commit: work?.commit ?? '', bundleFile: work?.bundleFile ?? '' };
    const mine = await workspaces.prepare(request({ upstreams: [side] }));
    expect(mine.base).toBe(work?.commit);
    expect(existsSync(join(mine.path, 'one.txt'))).toBe(true);

    expect(
      await codeOf(
        workspaces.prepare(request({ upstreams: [{ key: 'gone', commit: 'f'.repeat(40) }] })),
      ),
    ).toBe('workspace_failed');
    const broken = join(home, 'broken.bundle');
    writeFileSync(broken, readFileSync(side.bundleFile).subarray(0, 200));
    const damaged = { key: 'x', commit: 'e'.repeat(40), bundleFile: broken };
    expect(await codeOf(workspaces.prepare(request({ upstreams: [damaged] })))).toBe(
      'workspace_failed',
    );
  });

  test('an integrating merge takes accepted work in order and can step back from a conflict', async () => {
    const one = await done({ 'one.txt': '1' });
    const two = await done({ 'src/a.txt': 'two\n' });
    const three = await done({ 'src/a.txt': 'three\n' });
    const into = await workspaces.prepare(request());
    const tree = { path: into.path, gitDir: into.gitDir ?? '' };
    const good = await mergeCommits(tree, [one, two], { onConflict: 'abort', into: 'main' });
    expect(good).toMatchObject({ merged: [one.key, two.key], conflict: null });
    const bad = await mergeCommits(tree, [three], { onConflict: 'abort', into: 'main' });
    expect(bad).toMatchObject({
      commit: good.commit,
      merged: [],
      conflict: { files: ['src/a.txt'] },
    });
    expect(git(into.path, 'status', '--porcelain')).toBe('');
    const work = await collect(into);
    expect(work.commit).toBe(good.commit);
  });
});

describe('work that was left behind', () => {
  test('is saved as patch and branch before the same attempt begins anew', async () => {
    const asked = request();
    const crashed = await workspaces.prepare(asked);
    write(crashed.path, { 'done.txt': 'committed' });
    const kept = commit(crashed.path, 'half');
    write(crashed.path, { 'half.txt': 'not committed', 'src/a.txt': 'changed\n' });
    const again = await workspaces.prepare(asked);
    expect(git(again.path, 'status', '--porcelain')).toBe('');
    expect(again.base).toBe(crashed.base);
    expect(again.branch).toBe(crashed.branch);
    expect(again.salvaged?.files).toEqual(['half.txt', 'src/a.txt']);
    expect(readFileSync(again.salvaged?.patchFile ?? '', 'utf8')).toContain('+not committed');
    expect(git(again.path, 'rev-parse', again.salvaged?.branch ?? '')).toBe(kept);
  });

  test('goes on in the next attempt when that continues', async () => {
    const first = await workspaces.prepare(request({ taskKey: 'same' }));
    write(first.path, { 'a.txt': 'a' });
    commit(first.path, 'one');
    write(first.path, { 'b.txt': 'b' });
    const next = request({ taskKey: 'same', attemptNumber: 2, continueFrom: first.attemptId });
    const second = await workspaces.prepare(next);
    expect(second).toMatchObject({
      path: first.path,
      base: first.base,
      branch: 'baton/run_1/t/same/2',
    });
    expect(readFileSync(join(second.path, 'b.txt'), 'utf8')).toBe('b');
    expect(findWorkspace(dataDir, first.attemptId)).toBeUndefined();
    expect((await collect(second)).changes.files_created).toEqual(['a.txt', 'b.txt']);
  });

  test('is removed only with proof that nothing is lost', async () => {
    const workspace = await workspaces.prepare(request());
    write(workspace.path, { 'x.txt': 'x' });
    expect(await workspaces.remove(workspace, [])).toMatchObject({
      removed: false,
      files: ['x.txt'],
    });
    const work = await collect(workspace);
    expect(await workspaces.remove(workspace, [])).toMatchObject({ removed: false });
    expect(existsSync(workspace.path)).toBe(true);
    expect(await workspaces.remove(workspace, [work.commit])).toEqual({ removed: true });
    expect(existsSync(workspace.path)).toBe(false);
    const next = await workspaces.prepare(request());
    expect(git(next.path, 'worktree', 'list')).not.toContain(workspace.path);
  });
});

describe('other modes', () => {
  test('a clone is a repository of its own and gives the same result', async () => {
    const workspace = await workspaces.prepare(request({ mode: 'clone' }));
    expect(lstatSync(join(workspace.path, '.git')).isDirectory()).toBe(true);
    expect(existsSync(join(workspace.path, '.git/objects/info/alternates'))).toBe(false);
    write(workspace.path, { 'c.txt': 'c' });
    commit(workspace.path, 'mine');
    write(workspace.path, { 'd.txt': 'd' });
    const work = await collect(workspace);
    expect(work.changes.files_created).toEqual(['c.txt', 'd.txt']);
    const next = await workspaces.prepare(request({ upstreams: [{ key: 'c', ...work }] }));
    expect(existsSync(join(next.path, 'd.txt'))).toBe(true);
    expect(await workspaces.remove(workspace, [work.commit])).toMatchObject({ removed: false });
  });

  test('scratch is an empty directory without git', async () => {
    const { repo: _repo, ...asked } = request({ inputs: { a: 1 } });
    const workspace = await workspaces.prepare(asked);
    expect(workspace).toMatchObject({ mode: 'scratch', base: null });
    expect(await workspaces.collect(workspace, { outDir: home, message: 'm' })).toBeNull();
    expect(await workspaces.remove(workspace, [])).toEqual({ removed: true });
  });

  test('in place: nothing of the repository but its files changes, and one attempt has it at a time', async () => {
    const before = stateOf(repo);
    const first = await workspaces.prepare(request({ mode: 'in_place' }));
    expect(first.path).toBe(repo);
    expect(await codeOf(workspaces.prepare(request({ mode: 'in_place' })))).toBe('workspace_busy');
    write(repo, { 'mine.txt': 'm', 'src/a.txt': 'changed\n' });
    const work = await collect(first);
    expect(work.changes).toMatchObject({
      files_created: ['mine.txt'],
      files_modified: ['src/a.txt'],
    });
    expect(await workspaces.remove(first, [work.commit])).toMatchObject({ removed: false });
    expect(readFileSync(join(repo, 'mine.txt'), 'utf8')).toBe('m');

    const second = await workspaces.prepare(
      request({ mode: 'in_place', upstreams: [{ key: 'first', commit: work.commit }] }),
    );
    expect(second.base).toBe(work.commit);
    write(repo, { 'more.txt': 'x' });
    expect((await collect(second)).changes).toMatchObject({
      files_created: ['more.txt'],
      files_modified: [],
    });
    await workspaces.remove(second, []);
    git(repo, 'checkout', '-q', '--', '.');
    git(repo, 'clean', '-fdqx');
    expect(stateOf(repo)).toEqual(before);
  });
});

describe('what cannot be prepared', () => {
  test.each([
    [
      'a path that does not exist',
      () => ({ repo: parseRepoSource('/no/such/place') }),
      'repo_not_found',
    ],
    ['a directory without a repository', () => ({ repo: parseRepoSource(home) }), 'repo_not_found'],
    ['a branch that does not exist', () => ({ ref: 'nope' }), 'ref_not_found'],
    ['a ref that looks like an option', () => ({ ref: '--upload-pack=touch x' }), 'ref_not_found'],
    ['a commit that does not exist', () => ({ ref: 'a'.repeat(40) }), 'ref_not_found'],
    [
      'a repository without commits',
      () => {
        git(home, 'init', '-q', 'empty');
        return { repo: parseRepoSource(join(home, 'empty')) };
      },
      'repo_empty',
    ],
    [
      'a directory of your own with changes',
      () => {
        write(repo, { 'src/a.txt': 'dirty' });
        return { mode: 'in_place' as const };
      },
      'workspace_failed',
    ],
    [
      'in place at another ref',
      () => ({ mode: 'in_place' as const, ref: 'gone' }),
      'ref_not_found',
    ],
    [
      'a repository with a link in the place of .baton',
      () => {
        symlinkSync(home, join(repo, '.baton'));
        commit(repo, 'link');
        return {};
      },
      'workspace_failed',
    ],
  ])('%s is refused by name', async (_title, make, code) => {
    expect(await codeOf(workspaces.prepare(request(make())))).toBe(code);
  });

  test('names and transports outside of the list are refused before git sees them', () => {
    for (const text of [
      'ext::sh -c touch% x',
      'git://host/x',
      'http://host/x',
      '-oProxyCommand=x',
      'a b',
    ]) {
      expect(() => parseRepoSource(text)).toThrow(AppError);
    }
    const known = [{ name: 'shop', path: repo }];
    expect(parseRepoSource('shop', known).address).toBe(repo);
    expect(() => parseRepoSource('shop')).toThrow(AppError);
    const forms = [
      'https://me:pw@Host.org/Team/app.git',
      'git@host.org:Team/app',
      'ssh://git@host.org/Team/app/',
    ];
    expect(forms.map((form) => parseRepoSource(form).identity)).toEqual(
      forms.map(() => 'host.org/Team/app'),
    );
  });
});

describe('what an agent hands in by files', () => {
  test('is read without following links, and faults are named', async () => {
    const workspace = await workspaces.prepare(request());
    write(workspace.path, {
      '.baton/result.json': '{"status":"success","summary":"done"}',
      '.baton/outputs/api.json': '{"a":1}',
      '.baton/outputs/bad.json': '{',
      '.baton/outputs/deep.json': '['.repeat(100_000) + ']'.repeat(100_000),
    });
    symlinkSync('/etc/hostname', join(workspace.path, '.baton/outputs/link.json'));
    const handed = readDotBaton(workspace.path);
    expect(handed.result).toEqual({ status: 'success', summary: 'done' });
    expect(handed.outputs).toEqual({ api: { a: 1 } });
    expect(handed.faults).toHaveLength(3);
    expect(handed.faults.join()).toMatch(/outputs\/deep.json: This is nested deeper/);
    expect(
      missingFiles(workspace.path, ['src/a.txt', 'src/none.txt', '../x', '/etc/hosts']),
    ).toEqual(['src/none.txt', '../x', '/etc/hosts']);
  });
});
