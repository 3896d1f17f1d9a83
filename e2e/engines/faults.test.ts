import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanInput, Task } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { byKey, eventsOf, taskOf, untilEnded } from '../support/run.ts';
import {
  startFleetWorker,
  startTower,
  until,
  type FleetWorker,
  type Tower,
} from '../support/tower.ts';
import {
  isReal,
  startAgentMachine,
  whoIs,
  type AgentMachine,
  type AgentName,
} from './support/agents.ts';
import { isRunning } from '../support/processes.ts';
import { processesOf, untilAgentPid } from './support/processes.ts';
import { attemptsOf, transcriptOf } from './support/transcript.ts';

type PlanTaskInput = PlanInput['tasks'][number];

const agents: readonly AgentName[] = ['claude', 'codex'];

interface Stage {
  readonly machine: AgentMachine;
  readonly tower: Tower;
  readonly worker: FleetWorker;
  readonly runId: string;
  /** The task as it is now. */
  readonly task: (key: string) => Promise<Task>;
}

/** A machine with agents, a worker on it, and a run of these tasks. */
async function startStage(plan: (machine: AgentMachine) => PlanTaskInput[]): Promise<Stage> {
  const machine = await startAgentMachine();
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'dev', ['--slots', '2'], undefined, machine.env);
  const { run } = await tower.client.call('createRun', {
    body: { goal: 'what can go wrong', plan: { tasks: plan(machine) } },
  });
  return {
    machine,
    tower,
    worker,
    runId: run.id,
    async task(key) {
      const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
      return taskOf(byKey(graph), key);
    },
  };
}

describe.each(agents.map((agent) => [whoIs(agent), agent] as const))('with %s', (_who, agent) => {
  const needs = { engine: agent };

  test('a limit of the provider and a refused key are told as what they are', async () => {
    const { tower, task, runId } = await startStage(() => [
      { key: 'limited', title: 'Meet a limit', needs, spec: 'Work. [[fail:429]]' },
      { key: 'refused', title: 'Have a bad key', needs, spec: 'Work. [[fail:401]]' },
    ]);
    const hasFailed = async (key: string): Promise<boolean> =>
      (await attemptsOf(tower, (await task(key)).id))[0]?.status === 'failed';
    await until(
      'both have met their provider',
      async () => (await hasFailed('refused')) && (await hasFailed('limited')),
      150_000,
    );
    const refused = await task('refused');
    expect(refused).toMatchObject({ status: 'failed', failure_class: 'auth' });
    expect(refused.reason).toMatch(/401|scripted failure/);

    // It waits for the limit to end, and that it does so counts against nothing.
    const limited = await task('limited');
    expect(limited).toMatchObject({ status: 'waiting', reason: 'rate_limited' });
    expect(await attemptsOf(tower, limited.id)).toMatchObject([
      { status: 'failed', failure_class: 'rate_limited' },
    ]);
    const retrying = (await eventsOf(tower, runId)).find(({ type }) => type === 'task.retrying');
    expect(retrying?.data).toMatchObject({ failure_class: 'rate_limited', counted: false });
    const [attempt] = await attemptsOf(tower, limited.id);
    const events = await transcriptOf(tower, attempt?.id ?? '');
    expect(events.at(-1)).toMatchObject({ type: 'outcome', failure_class: 'rate_limited' });
    await tower.client.call('cancelRun', { params: { id: runId }, body: { reason: 'seen' } });
    expect((await untilEnded(tower, runId)).graph.run.status).toBe('cancelled');
  });

  test('kill -9 of the agent fails its attempt with all of its tree, and the next one completes', async () => {
    const { machine, tower, worker, task, runId } = await startStage(({ shared }) => [
      {
        key: 'crash',
        title: 'Crash once',
        needs,
        retry: { max_attempts: 2, backoff_seconds: 0 },
        spec: `Work. [[shell:if [ ! -e ${shared}/again ]; then touch ${shared}/again; sleep 300; fi; echo second]] [[say:done]]`,
      },
    ]);
    await until('its command runs', () => existsSync(join(machine.shared, 'again')), 150_000);
    const [first] = await attemptsOf(tower, (await task('crash')).id);
    const pid = await untilAgentPid(worker, first?.id ?? '');
    expect(processesOf(first?.id ?? '')).toContain(pid);
    process.kill(pid, 'SIGKILL');

    const { graph, tasks } = await untilEnded(tower, runId);
    expect(graph.run.status).toBe('completed');
    const attempts = await attemptsOf(tower, taskOf(tasks, 'crash').id);
    expect(attempts).toMatchObject([
      {
        status: 'failed',
        failure_class: 'agent_error',
        reason: expect.stringContaining('killed (SIGKILL)'),
      },
      { status: 'succeeded' },
    ]);
    await until('nothing of it is left', () => processesOf(first?.id ?? '').length === 0);
  });

  test('kill -9 of the worker daemon while the model is silent: the same agent goes on and completes', async () => {
    const { machine, tower, worker, task, runId } = await startStage(({ shared }) => [
      {
        key: 'long',
        title: 'Take long',
        needs,
        // A fake has no model to wait for: its command waits instead.
        spec: isReal(agent)
          ? `Work. [[shell:touch ${shared}/started]] [[stall:600]]`
          : `Work. [[shell:touch ${shared}/started; while [ ! -e ${shared}/go ]; do sleep 0.05; done]]`,
      },
    ]);
    const { model } = machine;
    await until(
      'the model is silent',
      () => existsSync(join(machine.shared, 'started')) && (model.stalled > 0 || !isReal(agent)),
      150_000,
    );
    const [attempt] = await attemptsOf(tower, (await task('long')).id);
    const pid = await untilAgentPid(worker, attempt?.id ?? '');
    const asked = model.requests.length;
    await worker.restart();
    await worker.restart();
    expect(isRunning(pid)).toBe(true);
    model.endStalls();
    writeFileSync(join(machine.shared, 'go'), '');

    const { graph, tasks } = await untilEnded(tower, runId);
    expect(graph.run.status).toBe('completed');
    const attempts = await attemptsOf(tower, taskOf(tasks, 'long').id);
    expect(attempts).toMatchObject([{ id: attempt?.id, status: 'succeeded' }]);
    expect(model.requests).toHaveLength(asked);
    const types = (await transcriptOf(tower, attempt?.id ?? '')).map(({ type }) => type);
    for (const once of ['session', 'tool_call', 'tool_result', 'outcome']) {
      expect(types.filter((type) => type === once)).toEqual([once]);
    }
  });

  test('an output that breaks its schema is mended by the same conversation, and all of it is counted', async () => {
    const { tower, runId } = await startStage(() => [
      {
        key: 'port',
        title: 'Choose a port',
        needs,
        spec: 'Work. [[shell:echo 70000 > .baton/outputs/port.json]] [[say:The port is 70000.]]',
        outputs: [
          {
            key: 'port',
            // Stands in both prompts; in the first one the spec has the last word.
            schema: {
              description: '[[shell:echo 8080 > .baton/outputs/port.json]]',
              type: 'integer',
              maximum: 65_535,
            },
          },
        ],
      },
    ]);
    const { graph, tasks } = await untilEnded(tower, runId);
    expect(graph.run.status).toBe('completed');
    const { id } = taskOf(tasks, 'port');
    const outputs = await tower.client.call('listOutputs', { params: { id } });
    expect(outputs.items).toMatchObject([{ key: 'port', data: 8080 }]);
    const attempts = await attemptsOf(tower, id);
    expect(attempts).toHaveLength(1);
    // Two commands and an end, then one command and an end.
    const calls = 5;
    expect(attempts[0]?.usage).toMatchObject({
      // Codex counts what it read from a cache as input too.
      input_tokens: calls * (agent === 'codex' ? 900 : 1_200),
      cache_read_tokens: calls * 300,
      output_tokens: calls * 42,
    });
    const events = await transcriptOf(tower, attempts[0]?.id ?? '');
    const sessions = events.filter((event) => event.type === 'session');
    expect(sessions.map(({ conversation }) => conversation)).toEqual([
      attempts[0]?.conversation,
      attempts[0]?.conversation,
    ]);
  });
});

test(`${whoIs('codex')} that may only read hands its output in by its conclusion, and is said to be unable to ask`, async () => {
  const { tower, runId } = await startStage(() => [
    {
      key: 'look',
      title: 'Look only',
      needs: { engine: 'codex' },
      permissions: 'ask',
      spec: 'Look. [[shell:echo x > .baton/outputs/port.json]] [[say:Seen.\n\n```baton:conclusion\nstatus: success\nsummary: Seen.\noutputs: {port: 8080}\n```]]',
      outputs: [{ key: 'port', schema: { type: 'integer' } }],
    },
  ]);
  const { graph, tasks } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  const { id } = taskOf(tasks, 'look');
  const outputs = await tower.client.call('listOutputs', { params: { id } });
  expect(outputs.items).toMatchObject([{ key: 'port', data: 8080 }]);
  const [attempt] = await attemptsOf(tower, id);
  const events = await transcriptOf(tower, attempt?.id ?? '');
  expect(events[0]).toMatchObject({
    type: 'notice',
    level: 'warning',
    text: expect.stringContaining('may only read'),
  });
  // The real one may leave out a command that its sandbox refuses at once.
  expect(events.some((event) => event.type === 'tool_result' && event.ok)).toBe(false);
});
