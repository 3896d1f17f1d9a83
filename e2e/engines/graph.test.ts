import { expect, test } from 'vitest';
import { git } from '../support/repo.ts';
import { runBaton } from '../support/process.ts';
import { taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, until, type Tower } from '../support/tower.ts';
import { isReal, startAgentMachine, whoIs, type AgentName } from './support/agents.ts';
import { attemptsOf, transcriptOf } from './support/transcript.ts';
import {
  designedApi,
  makeWordkit,
  scriptedExample,
  scripts,
  testsOfClone,
} from './support/wordkit.ts';

interface Cast {
  readonly example: 'claude' | 'codex' | 'mixed';
  readonly design: AgentName;
  readonly slugify: AgentName;
  readonly summarize: AgentName;
}

const casts: readonly Cast[] = [
  { example: 'claude', design: 'claude', slugify: 'claude', summarize: 'claude' },
  { example: 'codex', design: 'codex', slugify: 'codex', summarize: 'codex' },
  { example: 'mixed', design: 'claude', slugify: 'codex', summarize: 'claude' },
];

for (const cast of casts) {
  const who = whoIs(...new Set([cast.design, cast.slugify]));
  test(`examples/${cast.example} with ${who}: designed, built side by side, asked about, verified, merged`, () =>
    playExample(cast));
}

async function playExample(cast: Cast): Promise<void> {
  const machine = await startAgentMachine();
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '3'], undefined, machine.env);
  const repo = makeWordkit();
  const plan = scriptedExample(cast.example, {
    design: scripts.design(cast.design),
    slugify: scripts.slugify(cast.slugify),
    summarize: scripts.summarize(),
  });
  const submitted = await runBaton(['run', '--plan', plan, '--repo', repo, '--json'], {
    BATON_URL: tower.url,
    BATON_API_KEY: tower.apiKey,
  });
  expect(submitted).toMatchObject({ code: 0, stderr: '' });
  const { run } = JSON.parse(submitted.stdout) as { run: { id: string } };

  await answer(tower, 'How should a summary end where the text was cut?', 'ellipsis');
  const { graph, tasks } = await untilEnded(tower, run.id, 300_000);
  expect(graph.run).toMatchObject({ status: 'completed', delivery: { state: 'delivered' } });

  expect(git(repo, 'rev-parse', 'main')).toBe(graph.run.delivery.commit);
  expect(git(repo, 'status', '--porcelain')).toBe('');
  expect(git(repo, 'show', 'main:src/summarize.js')).toContain('ending = "…"');
  expect(testsOfClone(repo)).toEqual({ passed: 3, failed: 0 });

  const outputs = await tower.client.call('listOutputs', {
    params: { id: taskOf(tasks, 'design').id },
  });
  expect(outputs.items).toMatchObject([{ key: 'api_schema', data: designedApi }]);
  for (const key of ['design', 'slugify', 'summarize'] as const) {
    await expectWork(tower, taskOf(tasks, key).id, cast[key]);
  }
  const paths = new Set(machine.model.requests.map(({ path }) => path));
  const used = new Set([cast.design, cast.slugify, cast.summarize]);
  expect(paths.has('/v1/messages')).toBe(used.has('claude') && isReal('claude'));
  expect(paths.has('/v1/responses')).toBe(used.has('codex') && isReal('codex'));
}

async function answer(tower: Tower, question: string, option: string): Promise<void> {
  let id: string | undefined;
  await until(
    'the question is in the inbox',
    async () => {
      const { items } = await tower.client.call('listCheckpoints', {});
      id = items.find((item) => item.question === question)?.id;
      return id !== undefined;
    },
    120_000,
  );
  await tower.client.call('resolveCheckpoint', { params: { id: id ?? '' }, body: { option } });
}

/** One attempt that did the work, with its conclusion, its count, its conversation and its transcript. */
async function expectWork(tower: Tower, task: string, agent: AgentName): Promise<void> {
  const attempts = await attemptsOf(tower, task);
  expect(attempts).toHaveLength(1);
  const [attempt] = attempts;
  expect(attempt).toMatchObject({
    status: 'succeeded',
    engine: agent,
    conversation: expect.stringMatching(/^[0-9a-f-]{36}$/),
    prompt_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    exit_code: 0,
    result: { status: 'success', confidence: 0.9, tests: { failed: 0 } },
  });
  expect(attempt?.result).not.toHaveProperty('synthesized');
  expect(attempt?.result).not.toHaveProperty('missing_files');
  expect(attempt?.result?.commit?.commit).not.toBe(attempt?.result?.commit?.base);
  expect(attempt?.usage.input_tokens).toBeGreaterThan(0);
  expect(attempt?.usage.output_tokens).toBeGreaterThan(0);
  // Codex counts no money.
  if (agent === 'claude') expect(Number(attempt?.usage.usd)).toBeGreaterThan(0);

  const events = await transcriptOf(tower, attempt?.id ?? '');
  expect(events.find((event) => event.type === 'session')).toMatchObject({
    conversation: attempt?.conversation,
  });
  const calls = events.filter((event) => event.type === 'tool_call');
  expect(calls.length).toBeGreaterThanOrEqual(2);
  const results = events.filter((event) => event.type === 'tool_result');
  expect(results.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
  expect(results.map(({ ok, output }) => (ok ? '' : output))).toEqual(calls.map(() => ''));
  expect(events.at(-1)).toMatchObject({ type: 'outcome', status: 'ok' });
}
