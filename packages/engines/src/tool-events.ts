import { AGENT_EVENT_LIMITS } from '@baton/contract';
import type { AgentEvent, Json } from '@baton/contract';
import { cutJson, cutMiddle, oneLine } from './cut.ts';
import { isObject, textOf } from './loose-json.ts';

/** Names under which tools of many agents call the thing they act on, most telling first. */
const targetFields = [
  'command',
  'cmd',
  'file_path',
  'filePath',
  'path',
  'notebook_path',
  'url',
  'query',
  'pattern',
  'question',
  'description',
  'prompt',
];

/** What a tool call acts on, in one line; empty when its input does not say. */
export function targetOf(input: Json): string {
  if (typeof input === 'string') return oneLine(input, AGENT_EVENT_LIMITS.targetCharsMax);
  if (!isObject(input)) return '';
  for (const field of targetFields) {
    const value = input[field];
    const text = Array.isArray(value) ? value.map(String).join(' ') : textOf(value);
    if (text !== undefined && text !== '') return oneLine(text, AGENT_EVENT_LIMITS.targetCharsMax);
  }
  return '';
}

/** Fields that any event may carry beside its own. */
export interface Stamp {
  readonly at?: string;
  readonly parent?: string;
}

export function toolCall(
  call: {
    readonly id: string;
    readonly name: string;
    readonly input: Json;
    readonly target?: string;
  },
  stamp: Stamp = {},
): AgentEvent {
  return {
    type: 'tool_call',
    id: call.id,
    name: call.name,
    target: call.target ?? targetOf(call.input),
    input: cutJson(call.input, AGENT_EVENT_LIMITS.inputCharsMax),
    ...stamp,
  };
}

export function toolResult(
  result: {
    readonly id: string;
    readonly ok: boolean;
    readonly output: string;
    readonly exitCode?: number | undefined;
  },
  stamp: Stamp = {},
): AgentEvent {
  return {
    type: 'tool_result',
    id: result.id,
    ok: result.ok,
    ...(result.exitCode === undefined ? {} : { exit_code: result.exitCode }),
    output: cutMiddle(result.output, AGENT_EVENT_LIMITS.outputCharsMax),
    cut: result.output.length > AGENT_EVENT_LIMITS.outputCharsMax,
    ...stamp,
  };
}
