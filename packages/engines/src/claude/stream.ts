import { AGENT_EVENT_LIMITS } from '@baton/contract';
import type { AgentEvent, Json, Usage } from '@baton/contract';
import { cutMiddle } from '../cut.ts';
import type { ReaderStart } from '../engine.ts';
import { classifyFailure } from '../failure.ts';
import { info, warning } from '../jsonl-reader.ts';
import type { StreamMapper, Terminal } from '../jsonl-reader.ts';
import { arrayOf, countOf, instantOfSeconds, numberOf, objectOf, textOf } from '../loose-json.ts';
import type { LooseObject } from '../loose-json.ts';
import { targetOf, toolCall, toolResult } from '../tool-events.ts';
import type { Stamp } from '../tool-events.ts';
import { ClaudeUsage } from './usage.ts';
import { terminalOf } from './terminal.ts';

/** `claude -p --output-format stream-json --verbose`, line by line. */
export class ClaudeStream implements StreamMapper {
  readonly #usage: ClaudeUsage;
  readonly #tools = new Map<string, { readonly name: string; readonly target: string }>();
  readonly #denied = new Set<string>();
  #conversation: string | null = null;
  #lastText = '';
  #apiError: string | undefined;
  #resetsAt: string | undefined;
  #terminal: Terminal | undefined;

  constructor(start: ReaderStart) {
    this.#usage = new ClaudeUsage(start);
  }

  map(line: LooseObject): AgentEvent[] {
    switch (line['type']) {
      case 'system':
        return this.#system(line);
      case 'assistant':
        return this.#assistant(line);
      case 'user':
        return this.#user(line);
      case 'rate_limit_event':
        return this.#rateLimit(objectOf(line['rate_limit_info']));
      case 'result':
        return this.#result(line);
      default:
        // Partial messages, control frames, and what newer versions add: told by other lines, or not needed.
        return [];
    }
  }

  finish(): AgentEvent[] {
    const usage = this.#usage.isOwed ? this.#usage.event() : undefined;
    return usage === undefined ? [] : [usage];
  }

  terminal(): Terminal | undefined {
    return this.#terminal;
  }

  finalText(): string {
    return this.#lastText;
  }

  usage(): Usage | null {
    return this.#usage.total();
  }

  conversationId(): string | null {
    return this.#conversation;
  }

  #system(line: LooseObject): AgentEvent[] {
    switch (line['subtype']) {
      case 'init':
        return this.#session(line);
      case 'permission_denied':
        return [
          this.#permissionDenied(
            textOf(line['tool_use_id']),
            textOf(line['tool_name']) ?? '',
            textOf(line['decision_reason']) ?? textOf(line['message']) ?? '',
            '',
          ),
        ];
      case 'api_retry':
        return [retryEvent(line)];
      case 'compact_boundary':
        return [info('the conversation was compacted')];
      case 'informational':
        return [info(textOf(line['content']) ?? '')];
      default:
        return [];
    }
  }

  #session(line: LooseObject): AgentEvent[] {
    const conversation = textOf(line['session_id']);
    // Each turn of a process begins with the same line.
    if (conversation === undefined || conversation === this.#conversation) return [];
    this.#conversation = conversation;
    return [
      {
        type: 'session',
        conversation,
        ...optional('model', textOf(line['model'])),
        ...optional('cwd', textOf(line['cwd'])),
        ...optional('version', textOf(line['claude_code_version'])),
      },
    ];
  }

  #assistant(line: LooseObject): AgentEvent[] {
    const message = objectOf(line['message']);
    this.#usage.addMessage(message);
    if (line['is_api_error_message'] === true || textOf(line['error']) !== undefined) {
      this.#apiError = textOf(line['error']);
    }
    const stamp = stampOf(line);
    return arrayOf(message['content']).flatMap((item) => this.#block(objectOf(item), stamp));
  }

  #block(block: LooseObject, stamp: Stamp): AgentEvent[] {
    if (block['type'] === 'text') {
      const text = textOf(block['text']) ?? '';
      if (text === '') return [];
      if (stamp.parent === undefined) this.#lastText = text;
      return [
        { type: 'message', text: cutMiddle(text, AGENT_EVENT_LIMITS.textCharsMax), ...stamp },
      ];
    }
    if (block['type'] === 'thinking') {
      const text = textOf(block['thinking']) ?? '';
      if (text === '') return [];
      return [
        { type: 'thinking', text: cutMiddle(text, AGENT_EVENT_LIMITS.textCharsMax), ...stamp },
      ];
    }
    if (block['type'] === 'tool_use' || block['type'] === 'server_tool_use') {
      const id = textOf(block['id']) ?? '';
      const name = textOf(block['name']) ?? '';
      this.#tools.set(id, { name, target: targetOf(block['input'] ?? null) });
      return [toolCall({ id, name, input: block['input'] ?? {} }, stamp)];
    }
    return [];
  }

  #user(line: LooseObject): AgentEvent[] {
    const content = objectOf(line['message'])['content'];
    const stamp = stampOf(line);
    return arrayOf(content)
      .map(objectOf)
      .filter((block) => block['type'] === 'tool_result')
      .map((block) => {
        const id = textOf(block['tool_use_id']) ?? '';
        const output = textIn(block['content']);
        const ok = block['is_error'] !== true;
        const exitCode = exitCodeOf(this.#tools.get(id)?.name, ok, output);
        return toolResult({ id, ok, output, exitCode }, stamp);
      });
  }

  #rateLimit(limit: LooseObject): AgentEvent[] {
    const status = textOf(limit['status']) ?? 'allowed';
    if (status === 'allowed') return [];
    const resetsAt = instantOfSeconds(limit['resetsAt']);
    if (status === 'rejected') this.#resetsAt = resetsAt;
    return [
      {
        type: 'rate_limit',
        state: status === 'rejected' ? 'rejected' : 'warning',
        text: `limit ${textOf(limit['rateLimitType']) ?? 'of the account'}: ${status}`,
        ...optional('resets_at', resetsAt),
      },
    ];
  }

  #result(line: LooseObject): AgentEvent[] {
    this.#conversation ??= textOf(line['session_id']) ?? null;
    const events: AgentEvent[] = [];
    for (const item of arrayOf(line['permission_denials'])) {
      const denial = objectOf(item);
      const id = textOf(denial['tool_use_id']);
      if (id !== undefined && this.#denied.has(id)) continue;
      const name = textOf(denial['tool_name']) ?? '';
      events.push(this.#permissionDenied(id, name, '', targetOf(denial['tool_input'] ?? null)));
    }
    this.#usage.addResult(line);
    const usage = this.#usage.event();
    if (usage !== undefined) events.push(usage);
    this.#terminal = terminalOf(line, this.#apiError, this.#resetsAt);
    const text = textOf(line['result']);
    if (this.#terminal.ok && text !== undefined && text !== '') this.#lastText = text;
    return events;
  }

  #permissionDenied(
    id: string | undefined,
    tool: string,
    reason: string,
    target: string,
  ): AgentEvent {
    if (id !== undefined) this.#denied.add(id);
    return {
      type: 'permission_denied',
      ...optional('id', id),
      tool,
      target: target === '' ? (this.#tools.get(id ?? '')?.target ?? '') : target,
      reason: cutMiddle(reason, AGENT_EVENT_LIMITS.noticeCharsMax),
    };
  }
}

/** A provider error that the program tries again by itself. */
function retryEvent(line: LooseObject): AgentEvent {
  const status = numberOf(line['error_status']);
  const error = textOf(line['error']) ?? 'error';
  const text = `${error}${status === undefined ? '' : ` (${status})`}, try ${countOf(line['attempt'])} of ${countOf(line['max_retries'])} again in ${countOf(line['retry_delay_ms'])} ms`;
  return classifyFailure({ status, text: error }) === 'rate_limited'
    ? { type: 'rate_limit', state: 'retrying', text }
    : warning(text);
}

function stampOf(line: LooseObject): Stamp {
  return {
    ...optional('at', textOf(line['timestamp'])),
    ...optional('parent', textOf(line['parent_tool_use_id'])),
  };
}

/** The exit code of a shell command: 0 when it went well, else what its output begins with. */
function exitCodeOf(tool: string | undefined, ok: boolean, output: string): number | undefined {
  if (tool !== 'Bash') return undefined;
  if (ok) return 0;
  const code = /^(?:Error: )?Exit code (\d{1,3})\b/.exec(output)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** The text of a tool result: a string, or blocks of text and other things. */
function textIn(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  return arrayOf(content)
    .map((item) => {
      const block = objectOf(item);
      return textOf(block['text']) ?? `[${textOf(block['type']) ?? 'content'}]`;
    })
    .join('\n');
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
