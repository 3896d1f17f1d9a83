import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError, type Run } from '@baton/contract';
import { pause } from '@baton/sdk';
import type { Context } from '../context.ts';
import { isOnPath } from '../roles/program-path.ts';
import { block, paint, show, stack } from '../terminal/shown.ts';
import { answerHere } from '../watch/answer-here.ts';
import { createJsonViewer } from '../watch/line-viewer.ts';
import { watchRun } from '../watch/watch-run.ts';
import { demoPlan } from './demo-plan.ts';
import { git, makeDemoRepo } from './make-repo.ts';
import { createNarrator } from './narrator.ts';

/** How a demo is told to be. */
export interface DemoOptions {
  readonly questionSeconds?: number | undefined;
}

/** How a demo ended. `commit` and `tests` are there once it was delivered. */
export interface DemoOutcome {
  readonly run: Run;
  readonly repo: string;
  readonly commit: string;
  readonly tests: { readonly passed: number; readonly failed: number };
}

const QUESTION_SECONDS = 60;
const WORKER_WAIT_MS_MAX = 30_000;

/**
 * Makes a repository, runs the demo's plan on it and tells what happens, to the merged commit.
 * Undefined when Ctrl-C ended the telling; the run goes on.
 * @throws AppError when no worker comes, or the run does not end well.
 */
export async function runDemo(
  context: Context,
  options: DemoOptions = {},
): Promise<DemoOutcome | undefined> {
  const { out, isJson, config, signal } = context;
  const client = context.client();
  const questionSeconds = options.questionSeconds ?? QUESTION_SECONDS;
  await workerOnline(context);
  const repo = await makeDemoRepo(config.dataDir);
  const node = isOnPath('node', config.path) ? 'node' : process.execPath;
  const made = await client.runs.create(demoPlan({ repo, node, questionSeconds }));
  const url = `${client.baseUrl}/runs/${made.run.id}`;
  if (!isJson) out.line(opening(repo, url, questionSeconds));
  const viewer = isJson ? createJsonViewer(out) : createNarrator(out);
  const answering = answerHere(context, made.run.id, viewer);
  try {
    const run = await watchRun(client, made.run.id, viewer, {
      signal,
      onCheckpoints: () => answering.look(),
    });
    if (run === undefined) return undefined;
    return await conclude(context, run, repo, url);
  } finally {
    answering.stop();
  }
}

function opening(repo: string, url: string, questionSeconds: number) {
  return stack(
    show``,
    show`${paint.bold('Demo')}: two functions for a small library, on a real git repository.`,
    paint.dim(
      show`The agents are small scripts, so that no API key is needed; git, files and tests are real.`,
    ),
    show`  repository  ${repo}`,
    show`  live        ${url}`,
    paint.dim(
      show`One script will ask you something; without an answer within ${questionSeconds} s it takes the default.`,
    ),
    show``,
  );
}

async function conclude(
  context: Context,
  run: Run,
  repo: string,
  url: string,
): Promise<DemoOutcome> {
  const { out, isJson } = context;
  if (run.status !== 'completed' || run.delivery.state !== 'delivered') {
    const why = run.delivery.detail ?? run.reason ?? 'see the run';
    throw new AppError(
      'internal',
      `The demo's run is ${run.status}, its delivery ${run.delivery.state}: ${why}. Look at ${url}.`,
    );
  }
  const commit = await git(repo, 'rev-parse', 'main');
  const tests = await testCommit(repo, commit, context.env);
  if (tests.failed > 0 || tests.passed === 0) {
    throw new AppError(
      'internal',
      `The merged commit ${commit} does not pass its tests in ${repo}.`,
    );
  }
  if (!isJson) {
    out.line(
      stack(
        show``,
        show`${paint.green('Done.')} ${paint.bold(commit.slice(0, 12))} is on main; its ${tests.passed} tests pass in a fresh clone.`,
        show``,
        block(await git(repo, 'log', '--oneline', '--graph', '--max-count=12', 'main'), '    '),
        show``,
        show`  see it     cd "${repo}" && git log --stat && npm test`,
        show`  the run    ${url}`,
        show`  in here    baton run view ${run.id}   baton task explain ${run.id}/integrate`,
        show`  your turn  baton run "fix the failing test" --repo . --watch`,
      ),
    );
  }
  return { run, repo, commit, tests };
}

/** Runs the tests of a commit in a clone of its own: nothing that lies about in the repository counts. */
async function testCommit(
  repo: string,
  commit: string,
  env: Context['env'],
): Promise<DemoOutcome['tests']> {
  const dir = await mkdtemp(join(tmpdir(), 'baton-demo-'));
  try {
    await git(dirname(dir), 'clone', '--quiet', '--no-local', repo, dir);
    await git(dir, 'checkout', '--quiet', '--detach', commit);
    // A test run that is itself run by one would report to that one.
    const { NODE_TEST_CONTEXT: _, ...clean } = env;
    const output = await new Promise<string>((resolve) => {
      const args = ['--test', '--test-reporter=tap'];
      execFile(process.execPath, args, { cwd: dir, env: clean }, (_error, stdout) =>
        resolve(stdout),
      );
    });
    const count = (name: string): number =>
      Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
    return { passed: count('pass'), failed: count('fail') };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The worker that was just started needs a moment to connect. */
async function workerOnline({ client, signal, activity }: Context): Promise<void> {
  activity.say('waiting for a worker');
  const untilMs = performance.now() + WORKER_WAIT_MS_MAX;
  for (;;) {
    const { items } = await client().workers.list();
    if (items.some(({ status }) => status === 'online' || status === 'busy')) return;
    if (performance.now() > untilMs) {
      throw new AppError(
        'unknown_worker',
        'No worker is online. Start one on this machine (baton up), or see `baton worker list`.',
      );
    }
    await pause(200, signal);
  }
}
