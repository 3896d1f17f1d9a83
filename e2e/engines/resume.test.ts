import { expect, test } from 'vitest';
import { byKey, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, until } from '../support/tower.ts';
import { startAgentMachine, whoIs, type AgentName } from './support/agents.ts';
import { attemptsOf, transcriptOf } from './support/transcript.ts';

const agents: readonly AgentName[] = ['claude', 'codex'];

const conclusion = [
  '[[say:It is done.',
  '',
  '```baton:conclusion',
  'status: success',
  'summary: went on with the answer',
  '```]]',
].join('\n');

test.each(agents.map((agent) => [whoIs(agent), agent] as const))(
  '%s asks, ends its turn, and goes on with the answer in the same conversation',
  async (_who, agent) => {
    const machine = await startAgentMachine();
    const tower = await startTower();
    await startFleetWorker(tower, 'dev', ['--slots', '1'], undefined, machine.env);
    const spec = [
      'Remember the word marmalade.',
      '[[shell:echo half > work.txt; baton task ask "Which colour?" --end-turn]]',
      '[[say:I have asked and end my turn.]]',
    ].join('\n');
    const { run } = await tower.client.call('createRun', {
      body: {
        goal: 'ask and go on',
        plan: { tasks: [{ key: 'paint', title: 'Paint', needs: { engine: agent }, spec }] },
      },
    });
    const taskNow = async () =>
      taskOf(byKey(await tower.client.call('getRunGraph', { params: { id: run.id } })), 'paint');
    const { id } = await taskNow();
    await until(
      'the first attempt has ended and the question is open',
      async () => (await attemptsOf(tower, id))[0]?.status === 'released',
      150_000,
    );
    expect(await taskNow()).toMatchObject({ status: 'waiting', reason: 'question' });
    const { items } = await tower.client.call('listCheckpoints', { query: { run: run.id } });
    const [asked] = items;
    expect(asked).toMatchObject({ question: 'Which colour?', resume: 'new_attempt' });
    const before = machine.model.requests.length;
    await tower.client.call('resolveCheckpoint', {
      params: { id: asked?.id ?? '' },
      body: { text: `green\n[[shell:cat work.txt > seen.txt; cat seen.txt]]\n${conclusion}` },
    });

    const { graph } = await untilEnded(tower, run.id);
    expect(graph.run.status).toBe('completed');
    const attempts = (await attemptsOf(tower, id)).toSorted((a, b) => a.number - b.number);
    expect(attempts.map((it) => it.status)).toEqual(['released', 'succeeded']);
    const [first, second] = attempts;
    expect(first?.conversation).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.conversation).toBe(first?.conversation);
    expect(second?.result).toMatchObject({ summary: 'went on with the answer' });
    const outputs = (await transcriptOf(tower, second?.id ?? '')).flatMap((event) =>
      event.type === 'tool_result' ? [event.output] : [],
    );
    expect(outputs.join('\n')).toContain('half');
    // What the model is shown then holds the conversation from its beginning, once.
    const later = JSON.stringify(machine.model.requests.slice(before).at(-1)?.body ?? null);
    expect(later).toContain('Remember the word marmalade.');
    expect(later).toContain('The answer of');
    const used = (it: typeof first): number => it?.usage.input_tokens ?? 0;
    expect(used(second)).toBeGreaterThan(0);
  },
);
