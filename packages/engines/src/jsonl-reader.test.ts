import { AGENT_EVENT_LIMITS } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { ProcessExit, ReaderEnd, ReaderStart } from './engine.ts';
import { ENGINE_LIMITS } from './engine.ts';
import { findEngine } from './registry.ts';

function read(
  engine: string,
  lines: readonly (object | string)[],
  exit: ProcessExit,
  start: ReaderStart = {},
  stderr = '',
): ReaderEnd & { readonly all: readonly object[] } {
  const reader = findEngine(engine)?.openReader(start);
  if (reader === undefined) throw new Error(`no engine ${engine}`);
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  const events = reader.push(Buffer.from(`${text.join('\n')}\n`), 'stdout');
  reader.push(Buffer.from(stderr), 'stderr');
  const end = reader.end(exit);
  return { ...end, all: [...events, ...end.events] };
}

const fine: ProcessExit = { code: 0, signal: null };
const finished = { type: 'result', subtype: 'success', is_error: false, result: 'done' };

describe('the outcome', () => {
  test('exit code 0 without a terminal event is a failure', () => {
    expect(read('claude', [], fine).outcome).toMatchObject({
      status: 'failed',
      failure_class: 'agent_error',
      exit_reason: 'no_terminal_event',
    });
  });

  test('a terminal event of success stands, whatever the exit', () => {
    expect(read('claude', [finished], { code: 143, signal: null }).outcome.status).toBe('ok');
  });

  test('a provider error is told by is_error, though it calls itself a success', () => {
    const line = {
      ...finished,
      is_error: true,
      api_error_status: 402,
      terminal_reason: 'api_error',
    };
    expect(read('claude', [line], fine).outcome).toMatchObject({
      status: 'failed',
      failure_class: 'quota',
    });
  });

  test('an agent that failed while writing about rate limits was not limited', () => {
    const line = {
      type: 'result',
      subtype: 'error_during_execution',
      is_error: true,
      result: 'rate limit code broke',
    };
    expect(read('claude', [line], fine).outcome.failure_class).toBe('agent_error');
  });

  test('the reason of the supervisor wins over how the process ended', () => {
    const exit = { code: null, signal: 'SIGKILL', stopped: 'idle_timeout' as const };
    expect(read('codex', [{ type: 'turn.started' }], exit).outcome).toMatchObject({
      failure_class: 'idle_timeout',
      exit_reason: 'stopped',
    });
  });

  test('a login that is missing before the first event is told by stderr', () => {
    const end = read('codex', [], { code: 1, signal: null }, {}, 'Not logged in\n');
    expect(end.outcome).toMatchObject({ failure_class: 'auth' });
    expect(end.outcome.summary).toContain('Not logged in');
  });

  test('a usage limit carries the time of its end', () => {
    const limit = { status: 'rejected', resetsAt: 1_795_147_824, rateLimitType: 'five_hour' };
    const error = {
      type: 'assistant',
      error: 'rate_limit',
      is_api_error_message: true,
      message: {},
    };
    const result = { ...finished, is_error: true, terminal_reason: 'api_error', result: 'limit' };
    const end = read(
      'claude',
      [{ type: 'rate_limit_event', rate_limit_info: limit }, error, result],
      fine,
    );
    expect(end.outcome).toMatchObject({
      failure_class: 'rate_limited',
      resets_at: '2026-11-20T04:10:24.000Z',
    });
  });
});

describe('the events', () => {
  test('what is no JSON is kept as a notice, and stderr is told at the end', () => {
    const end = read('claude', ['warning: hm', finished], fine, {}, 'one\ntwo\n');
    expect(end.all).toMatchObject([
      { type: 'notice', text: 'warning: hm' },
      { type: 'notice', text: 'one\ntwo' },
      { type: 'outcome', status: 'ok' },
    ]);
  });

  test('a line beyond the bound is told, and the stream goes on', () => {
    const end = read('claude', ['x'.repeat(ENGINE_LIMITS.lineBytesMax + 1), finished], fine);
    expect(end.all[0]).toMatchObject({ type: 'notice', level: 'warning' });
    expect(end.outcome.status).toBe('ok');
  });

  test('output of a tool beyond the bound keeps both ends and says that it was cut', () => {
    const content = `begin${'x'.repeat(100_000)}end`;
    const block = { type: 'tool_result', tool_use_id: 't', content };
    const end = read('claude', [{ type: 'user', message: { content: [block] } }], fine);
    const result = end.all[0];
    expect(result).toMatchObject({ type: 'tool_result', cut: true });
    const output = String((result as { output: unknown }).output);
    expect(output.length).toBeLessThanOrEqual(AGENT_EVENT_LIMITS.outputCharsMax);
    expect(output.startsWith('begin') && output.endsWith('end')).toBe(true);
  });

  test('thinking and the work of sub-agents are told as such', () => {
    const content = [
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'sub' },
    ];
    const lines = [{ type: 'assistant', parent_tool_use_id: 'tool_1', message: { content } }];
    const end = read('claude', lines, fine);
    expect(end.all.slice(0, 2)).toEqual([
      { type: 'thinking', text: 'hm', parent: 'tool_1' },
      { type: 'message', text: 'sub', parent: 'tool_1' },
    ]);
    expect(end.finalText).toBe('');
  });

  test('files that codex changed are a tool call with its paths', () => {
    const item = {
      id: 'i',
      type: 'file_change',
      status: 'completed',
      changes: [
        { path: 'a.ts', kind: 'add' },
        { path: 'b.ts', kind: 'update' },
      ],
    };
    expect(read('codex', [{ type: 'item.completed', item }], fine).all.slice(0, 2)).toMatchObject([
      { type: 'tool_call', name: 'file_change', target: 'a.ts b.ts' },
      { type: 'tool_result', ok: true, output: 'add a.ts\nupdate b.ts' },
    ]);
  });
});

describe('the usage', () => {
  const model = (output: number, usd: number): object => ({
    m: { outputTokens: output, costUSD: usd },
  });

  test('of a resumed claude is without what the conversation had before', () => {
    const prior = {
      input_tokens: 0,
      output_tokens: 40,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      usd: '0.04',
      by_model: { m: { output_tokens: 40, usd: '0.04' } },
    };
    const line = { ...finished, modelUsage: model(100, 0.1), total_cost_usd: 0.1 };
    const end = read('claude', [line], fine, { resumed: true, priorUsage: prior });
    expect(end.usage).toMatchObject({ output_tokens: 60, usd: '0.06' });
  });

  test('of a resumed claude without any baseline has tokens, but no price', () => {
    const line = {
      ...finished,
      modelUsage: model(100, 0.1),
      total_cost_usd: 0.1,
      usage: { output_tokens: 60 },
    };
    const end = read('claude', [line], fine, { resumed: true });
    expect(end.usage).toEqual({
      input_tokens: 0,
      output_tokens: 60,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
    });
    expect(end.all[0]).toMatchObject({ type: 'usage', estimated: true });
  });

  test('of several turns of one process is added up', () => {
    const turn = (output: number): object => ({
      ...finished,
      model_usage_since_last_result: model(output, output / 100),
    });
    expect(read('claude', [turn(10), turn(5)], fine).usage).toMatchObject({
      output_tokens: 15,
      usd: '0.15',
    });
  });

  test('of a claude that was killed is what its messages counted, each once', () => {
    const message = {
      id: 'm1',
      model: 'm',
      usage: { input_tokens: 7, output_tokens: 1 },
      content: [],
    };
    const end = read(
      'claude',
      [
        { type: 'assistant', message },
        { type: 'assistant', message },
      ],
      { code: null, signal: 'SIGKILL' },
    );
    expect(end.usage).toMatchObject({ input_tokens: 7, output_tokens: 1 });
    expect(end.all[0]).toMatchObject({ type: 'usage', estimated: true });
  });

  test('of codex counts cached input apart, and what came before not at all', () => {
    const prior = {
      input_tokens: 900,
      output_tokens: 42,
      cache_read_tokens: 300,
      cache_write_tokens: 0,
    };
    const line = {
      type: 'turn.completed',
      usage: { input_tokens: 2_400, cached_input_tokens: 600, output_tokens: 84 },
    };
    expect(read('codex', [line], fine, { resumed: true, priorUsage: prior }).usage).toEqual(prior);
    expect(read('codex', [line], fine, { resumed: true }).all[0]).toMatchObject({
      estimated: true,
    });
  });
});
