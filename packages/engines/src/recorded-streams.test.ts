/** Every recorded stream of a real Claude Code or Codex, read whole and in arbitrary pieces. */
import { readdirSync, readFileSync } from 'node:fs';
import { agentEvent } from '@baton/contract';
import type { AgentEvent } from '@baton/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProcessExit, ReaderEnd, ReaderStart } from './engine.ts';
import { findEngine } from './registry.ts';

const folder = new URL('../../testkit/src/fixtures/streams/', import.meta.url);
const names = readdirSync(folder).filter((name) => /^(claude|codex)-/.test(name));
const cleanExit: ProcessExit = { code: 0, signal: null };

/** Recordings of two-way protocols hold both directions: what the agent said is its stream. */
function bytesOf(name: string): Uint8Array {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const lines = text.split('\n').map((line) => {
    const frame: unknown = line === '' ? {} : JSON.parse(line);
    if (typeof frame !== 'object' || frame === null || !('dir' in frame)) return line;
    return frame.dir === '<' && 'msg' in frame ? JSON.stringify(frame.msg) : '';
  });
  return Buffer.from(lines.join('\n'));
}

function read(
  engineName: string,
  chunks: readonly Uint8Array[],
  exit: ProcessExit = cleanExit,
  start: ReaderStart = {},
): { events: AgentEvent[]; end: ReaderEnd } {
  const reader = findEngine(engineName)?.openReader(start);
  if (reader === undefined) throw new Error(`no engine ${engineName}`);
  const events = chunks.flatMap((chunk) => reader.push(chunk, 'stdout'));
  const end = reader.end(exit);
  return { events: [...events, ...end.events], end };
}

const engineOf = (name: string): string => name.slice(0, name.indexOf('-'));

describe('recorded streams', () => {
  test('there are recordings of both', () => {
    expect(names.length).toBeGreaterThanOrEqual(16);
  });

  test.each(names)('%s gives these events', (name) => {
    const { events } = read(engineOf(name), [bytesOf(name)]);
    for (const event of events) expect(agentEvent.parse(event)).toEqual(event);
    expect(events).toMatchSnapshot();
  });

  test.each(names)('%s gives the same events however it is cut', (name) => {
    const bytes = bytesOf(name);
    const whole = read(engineOf(name), [bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(read(engineOf(name), chunks)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test.each(names)('%s, cut off anywhere before its last line, is no success', (name) => {
    const bytes = bytesOf(name);
    const lastLine = Buffer.from(bytes).toString().trimEnd().lastIndexOf('\n');
    const end = Buffer.byteLength(Buffer.from(bytes).toString().slice(0, Math.max(0, lastLine)));
    // The two-way recordings hold several turns: after the first, success was said.
    if (name === 'claude-control.jsonl' || lastLine <= 0) return;
    fc.assert(
      fc.property(fc.nat(end), (length) => {
        const cut = read(engineOf(name), [bytes.subarray(0, length)], { code: 0, signal: null });
        expect(cut.end.outcome.status).toBe('failed');
      }),
      { numRuns: 20 },
    );
  });

  test.each(['claude', 'codex', 'shell'])('%s reads any bytes without throwing', (engine) => {
    const types = [
      'system',
      'assistant',
      'user',
      'result',
      'item.completed',
      'turn.completed',
      'error',
    ];
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record({
          type: fc.constantFrom(...types),
          message: fc.jsonValue(),
          item: fc.jsonValue(),
          usage: fc.jsonValue(),
          modelUsage: fc.jsonValue(),
          result: fc.jsonValue(),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        const { events } = read(engine, [Buffer.from(lines.join('\n'))]);
        for (const event of events) expect(agentEvent.safeParse(event).error).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
