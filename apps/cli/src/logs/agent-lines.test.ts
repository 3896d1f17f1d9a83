import { expect, test } from 'vitest';
import { createAgentLines } from './agent-lines.ts';

const lines = (...events: readonly object[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

function shown(text: string): readonly string[] {
  return createAgentLines()
    .push(text)
    .map((line) => line.encode(false));
}

test('what an agent says and does is shown, what it thinks is not', () => {
  const text = lines(
    { type: 'session', conversation: 'c1', model: 'big' },
    { type: 'thinking', text: 'hmm' },
    { type: 'message', text: 'I will\u001b[2J look.' },
    { type: 'tool_call', id: '1', name: 'Bash', target: 'npm test', input: {} },
    { type: 'tool_result', id: '1', ok: true, output: 'a\nb\nc\nd\ne\nf\ng\n', cut: false },
    { type: 'invented_later' },
    {
      type: 'outcome',
      status: 'failed',
      failure_class: 'quota',
      summary: 'no credit',
      exit_reason: 'reported_error',
      exit_code: 1,
      signal: null,
    },
  );
  expect(shown(text)).toEqual([
    'session c1 big',
    'I will look.',
    '* Bash npm test',
    '  a\n  b\n  c\n  d\n  e\n  ... 2 more lines',
    'failed (quota): no credit',
  ]);
});

test('an event that is cut between two pieces is shown once it is whole', () => {
  const reader = createAgentLines();
  const text = lines({ type: 'message', text: 'hello' });
  expect(reader.push(text.slice(0, 12))).toEqual([]);
  expect(reader.push(text.slice(12)).map((line) => line.encode(false))).toEqual(['hello']);
});

test('a line that is no event is shown as it is', () => {
  expect(shown('not json\n')).toEqual(['not json']);
});
