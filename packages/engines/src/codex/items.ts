import { AGENT_EVENT_LIMITS } from '@baton/contract';
import type { AgentEvent, Json } from '@baton/contract';
import { cutMiddle, oneLine } from '../cut.ts';
import { info, warning } from '../jsonl-reader.ts';
import { arrayOf, numberOf, objectOf, textOf } from '../loose-json.ts';
import type { LooseObject } from '../loose-json.ts';
import { targetOf, toolCall, toolResult } from '../tool-events.ts';

/** The event of an item that is words, not work; undefined for all others. */
export function itemText(item: LooseObject): AgentEvent | undefined {
  const text = cutMiddle(textOf(item['text']) ?? '', AGENT_EVENT_LIMITS.textCharsMax);
  switch (item['type']) {
    case 'agent_message':
      return { type: 'message', text };
    case 'reasoning':
      return { type: 'thinking', text };
    case 'error':
      // Harmless remarks come this way too, such as an unknown model's missing metadata.
      return warning(textOf(item['message']) ?? '');
    case 'todo_list':
      return info(todoText(item));
    default:
      return undefined;
  }
}

/** The beginning of work; undefined for items that are words. */
export function itemCall(item: LooseObject): AgentEvent | undefined {
  const id = textOf(item['id']) ?? '';
  switch (item['type']) {
    case 'command_execution': {
      const command = plainCommand(textOf(item['command']) ?? '');
      return toolCall({ id, name: 'shell', input: { command } });
    }
    case 'file_change': {
      const paths = changesOf(item).map((change) => change.path);
      const target = oneLine(paths.join(' '), AGENT_EVENT_LIMITS.targetCharsMax);
      return toolCall({ id, name: 'file_change', input: { changes: changesOf(item) }, target });
    }
    case 'mcp_tool_call': {
      const name = [textOf(item['server']), textOf(item['tool'])].filter(Boolean).join('.');
      return toolCall({ id, name, input: item['arguments'] ?? {} });
    }
    case 'web_search':
      return toolCall({ id, name: 'web_search', input: { query: textOf(item['query']) ?? '' } });
    default:
      return undefined;
  }
}

/** The end of work; undefined for items that are words. */
export function itemResult(item: LooseObject): AgentEvent | undefined {
  if (itemCall(item) === undefined) return undefined;
  const failed = item['status'] === 'failed' || item['status'] === 'declined';
  const exitCode = numberOf(item['exit_code']);
  return toolResult({
    id: textOf(item['id']) ?? '',
    ok: !failed && (exitCode ?? 0) === 0,
    output: outputOf(item),
    ...(exitCode === undefined ? {} : { exitCode: Math.trunc(exitCode) }),
  });
}

/** Set when the work was refused, not tried. */
export function itemDenied(item: LooseObject): AgentEvent | undefined {
  const error = textOf(objectOf(item['error'])['message']) ?? '';
  const isDenied = item['status'] === 'declined' || /requires approval/.test(error);
  const call = itemCall(item);
  if (!isDenied || call?.type !== 'tool_call') return undefined;
  return {
    type: 'permission_denied',
    id: call.id,
    tool: call.name,
    target: call.target,
    reason: error === '' ? 'declined' : cutMiddle(error, AGENT_EVENT_LIMITS.noticeCharsMax),
  };
}

function outputOf(item: LooseObject): string {
  const error = textOf(objectOf(item['error'])['message']);
  if (error !== undefined) return error;
  const printed = textOf(item['aggregated_output']);
  if (printed !== undefined) return printed;
  const content = arrayOf(objectOf(item['result'])['content']).map(objectOf);
  if (content.length > 0) return content.map((part) => textOf(part['text']) ?? '').join('\n');
  return changesOf(item)
    .map((change) => `${change.kind} ${change.path}`)
    .join('\n');
}

function changesOf(item: LooseObject): { path: string; kind: string }[] {
  return arrayOf(item['changes'])
    .map(objectOf)
    .map((change) => ({
      path: textOf(change['path']) ?? '',
      kind: textOf(change['kind']) ?? 'update',
    }));
}

/** The command itself, without the shell that Codex puts around each one. */
function plainCommand(command: string): string {
  const wrapped = /^(?:\/\S*\/)?(?:ba|z|da)?sh -l?c (['"])([\s\S]*)\1$/.exec(command);
  const [, quote, inner] = wrapped ?? [];
  if (quote === undefined || inner === undefined) return command;
  return quote === "'" ? inner.replaceAll(`'\\''`, `'`) : inner.replace(/\\(["\\$`])/g, '$1');
}

function todoText(item: LooseObject): string {
  const lines = arrayOf(item['items'])
    .map(objectOf)
    .map((todo) => `[${todo['completed'] === true ? 'x' : ' '}] ${describe(todo['text'])}`);
  return `plan:\n${lines.join('\n')}`;
}

function describe(value: Json | undefined): string {
  return textOf(value) ?? targetOf(value ?? null);
}
