import { AGENT_EVENT_LIMITS } from '@baton/contract';
import type { AgentEvent, Usage } from '@baton/contract';
import { cutMiddle } from '../cut.ts';
import type { ReaderStart } from '../engine.ts';
import { classifyFailure, resetSecondsIn } from '../failure.ts';
import { warning } from '../jsonl-reader.ts';
import type { StreamMapper, Terminal } from '../jsonl-reader.ts';
import { countOf, instantOfSeconds, objectOf, parseObject, textOf } from '../loose-json.ts';
import type { LooseObject } from '../loose-json.ts';
import { subtractTally, tallyOf, usageOf } from '../usage.ts';
import type { Tally } from '../usage.ts';
import { itemCall, itemDenied, itemResult, itemText } from './items.ts';

/** `codex exec --json`, line by line. */
export class CodexStream implements StreamMapper {
  readonly #start: ReaderStart;
  readonly #called = new Set<string>();
  #conversation: string | null = null;
  #lastText = '';
  #lastError = '';
  #usage: Usage | null = null;
  #terminal: Terminal | undefined;

  constructor(start: ReaderStart) {
    this.#start = start;
  }

  map(line: LooseObject): AgentEvent[] {
    switch (line['type']) {
      case 'thread.started':
        return this.#session(textOf(line['thread_id']));
      case 'item.started':
        return this.#call(objectOf(line['item']));
      case 'item.completed':
        return this.#item(objectOf(line['item']));
      case 'turn.completed':
        this.#terminal = { ok: true, text: this.#lastText };
        return this.#usageEvent(objectOf(line['usage']));
      case 'turn.failed':
        return this.#failed(textOf(objectOf(line['error'])['message']) ?? '');
      case 'error':
        return this.#error(textOf(line['message']) ?? '');
      default:
        return [];
    }
  }

  finish(): AgentEvent[] {
    return [];
  }

  terminal(): Terminal | undefined {
    return this.#terminal;
  }

  finalText(): string {
    return this.#lastText;
  }

  usage(): Usage | null {
    return this.#usage;
  }

  conversationId(): string | null {
    return this.#conversation;
  }

  #session(conversation: string | undefined): AgentEvent[] {
    if (conversation === undefined || conversation === this.#conversation) return [];
    this.#conversation = conversation;
    const model = this.#start.model;
    return [{ type: 'session', conversation, ...(model === undefined ? {} : { model }) }];
  }

  #call(item: LooseObject): AgentEvent[] {
    const call = itemCall(item);
    if (call === undefined) return [];
    this.#called.add(textOf(item['id']) ?? '');
    return [call];
  }

  #item(item: LooseObject): AgentEvent[] {
    const text = itemText(item);
    if (text !== undefined) {
      if (text.type === 'message') this.#lastText = textOf(item['text']) ?? '';
      return [text];
    }
    const result = itemResult(item);
    if (result === undefined) return [];
    // An item may come without its beginning.
    const call = this.#called.has(textOf(item['id']) ?? '') ? [] : this.#call(item);
    const denied = itemDenied(item);
    return [...call, ...(denied === undefined ? [] : [denied]), result];
  }

  /** `error` lines are remarks: only `turn.failed` ends a turn. */
  #error(message: string): AgentEvent[] {
    const text = plainMessage(message);
    this.#lastError = text;
    const isRetry = /^Reconnecting\b/.test(text);
    if (classifyFailure({ text }) !== 'rate_limited') {
      return isRetry ? [warning(text)] : [errorNotice(text)];
    }
    const resetsAt = instantOfSeconds(resetSecondsIn(message));
    return [
      {
        type: 'rate_limit',
        state: isRetry ? 'retrying' : 'rejected',
        text: cutMiddle(text, AGENT_EVENT_LIMITS.noticeCharsMax),
        ...(resetsAt === undefined ? {} : { resets_at: resetsAt }),
      },
    ];
  }

  #failed(message: string): AgentEvent[] {
    const text = plainMessage(message);
    const failureClass = classifyFailure({ text: `${text}\n${message}` });
    this.#terminal = {
      ok: false,
      text,
      failureClass,
      reason: 'reported_error',
      resetsAt: instantOfSeconds(resetSecondsIn(message)),
    };
    // The same words were told as an `error` just before.
    return text === this.#lastError ? [] : [errorNotice(text)];
  }

  /** The count is a total of the thread: this attempt's is what was added since the one before. */
  #usageEvent(counts: LooseObject): AgentEvent[] {
    const total = threadTally(counts);
    const prior = this.#start.priorUsage;
    const own = prior === undefined ? total : subtractTally(total, tallyOf(prior));
    const model = this.#start.model;
    const byModel = (tally: Tally): Map<string, Tally> =>
      new Map(model === undefined ? [] : [[model, tally]]);
    this.#usage = usageOf(own, byModel(own));
    return [
      {
        type: 'usage',
        ...this.#usage,
        estimated: this.#start.resumed === true && prior === undefined,
        conversation: usageOf(total, byModel(total)),
      },
    ];
  }
}

/** Codex counts cached tokens as input; Baton counts them apart. It knows no prices. */
function threadTally(counts: LooseObject): Tally {
  const cacheRead = countOf(counts['cached_input_tokens']);
  const cacheWrite = countOf(counts['cache_write_input_tokens']);
  return {
    input: Math.max(0, countOf(counts['input_tokens']) - cacheRead - cacheWrite),
    output: countOf(counts['output_tokens']),
    cacheRead,
    cacheWrite,
    usd: undefined,
  };
}

/** A provider's error comes as its JSON body: what it says in words. */
function plainMessage(message: string): string {
  const error = objectOf(parseObject(message)?.['error']);
  const said = textOf(error['message']);
  if (said === undefined) return message;
  const code = textOf(error['code']) ?? textOf(error['type']);
  return code === undefined ? said : `${said} (${code})`;
}

function errorNotice(text: string): AgentEvent {
  return {
    type: 'notice',
    level: 'error',
    text: cutMiddle(text, AGENT_EVENT_LIMITS.noticeCharsMax),
  };
}
