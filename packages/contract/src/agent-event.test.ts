import { describe, expect, test } from 'vitest';
import { agentEvent } from './agent-event.ts';

describe('agent events', () => {
  test('an event of an unknown type is refused', () => {
    expect(agentEvent.safeParse({ type: 'dance', text: 'x' }).success).toBe(false);
  });

  test('an event with a field of another event is refused', () => {
    expect(agentEvent.safeParse({ type: 'message', text: 'x', exit_code: 0 }).success).toBe(false);
  });

  test('token counts that are left out are zero', () => {
    expect(agentEvent.parse({ type: 'usage', input_tokens: 3, estimated: false })).toEqual({
      type: 'usage',
      input_tokens: 3,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      estimated: false,
    });
  });
});
