import type { AgentEvent } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { TranscriptReader, toolMs } from './transcript.ts';

const encode = (...events: readonly AgentEvent[]): Uint8Array =>
  new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));

const call: AgentEvent = {
  type: 'tool_call',
  id: 't1',
  name: 'Bash',
  target: 'npm test',
  input: { command: 'npm test' },
  at: '2030-01-01T00:00:00.000Z',
};
const result: AgentEvent = {
  type: 'tool_result',
  id: 't1',
  ok: false,
  exit_code: 1,
  output: 'failed',
  cut: false,
  at: '2030-01-01T00:00:02.500Z',
};

describe('a transcript', () => {
  test('shows a tool at once and puts its result into the same card', () => {
    const reader = new TranscriptReader();
    reader.push(encode({ type: 'message', text: 'I run the tests.' }, call));
    expect(reader.transcript().entries.at(1)).toMatchObject({ kind: 'tool', result: undefined });
    reader.push(encode({ type: 'thinking', text: 'hm' }, result));
    const { entries } = reader.transcript();
    expect(entries.map(({ kind }) => kind)).toEqual(['message', 'tool', 'thinking']);
    const tool = entries[1];
    expect(tool?.kind === 'tool' ? [tool.result?.exit_code, toolMs(tool)] : []).toEqual([1, 2_500]);
  });

  test('reads a line that comes in two pieces', () => {
    const reader = new TranscriptReader();
    const bytes = encode({ type: 'message', text: 'naïve' });
    const middle = bytes.indexOf(0xaf);
    reader.push(bytes.slice(0, middle));
    expect(reader.transcript().entries).toEqual([]);
    reader.push(bytes.slice(middle));
    expect(reader.transcript().entries).toMatchObject([{ event: { text: 'naïve' } }]);
  });

  test('counts what it cannot read and goes on', () => {
    const reader = new TranscriptReader();
    reader.push(new TextEncoder().encode('not json\n{"type":"invented"}\n'));
    reader.push(encode({ type: 'notice', level: 'info', text: 'fine' }));
    expect(reader.transcript()).toMatchObject({ skipped: 2, entries: [{ text: 'fine' }] });
  });

  test('the last usage counts', () => {
    const reader = new TranscriptReader();
    const usage = (input: number): AgentEvent => ({
      type: 'usage',
      input_tokens: input,
      output_tokens: 1,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      estimated: false,
    });
    reader.push(encode(usage(10), usage(30)));
    expect(reader.transcript().usage?.input_tokens).toBe(30);
  });
});
