import type { AgentEvent, AttemptProgress, Usage } from '@baton/contract';
import { addUsage } from '@baton/engines';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../link/link.ts';

type Progress = NonNullable<AttemptProgress['progress']>;

/** What is told of a running agent: how far it is, what it used, its conversation. The last word counts. */
export interface AgentNews {
  /** Takes what an event says. */
  event(event: AgentEvent): void;
  /** The agent said itself how far it is: from now on nothing is guessed from its events. */
  reported(): void;
  /** Added to what its events say: usage of an earlier turn. */
  readonly usage: Usage | undefined;
  stop(): void;
}

const everyMs = 3_000;
/** An agent that is read again from its start says much at once; only the last of it is news. */
const gatherMs = 100;
const textCharsMax = 300;

const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

/** Tells at most every three seconds, one frame at a time; silent when nothing is new. */
export function createAgentNews(
  link: Link,
  about: { readonly attempt: string; readonly epoch: number },
  earlier: Usage | null,
): AgentNews {
  let unsaid: { progress?: Progress; usage?: Usage; conversation?: string } = {};
  let usage: Usage | undefined;
  let hasReported = false;
  let isStopped = false;
  let isBusy = false;

  function note(news: typeof unsaid): void {
    unsaid = { ...unsaid, ...news };
    if (!isBusy) void tell();
  }

  async function tell(): Promise<void> {
    isBusy = true;
    await pause(gatherMs);
    while (!isStopped && Object.keys(unsaid).length > 0) {
      const body = { epoch: about.epoch, ...unsaid };
      unsaid = {};
      await link.request({ type: 'progress', attempt: about.attempt, body }).catch(() => undefined);
      await pause(everyMs);
    }
    isBusy = false;
  }

  return {
    event(event) {
      if (event.type === 'usage') {
        const own = usageOf(event);
        usage = earlier === null ? own : addUsage(earlier, own);
        note({ usage });
      } else if (event.type === 'session') {
        note({ conversation: event.conversation });
      } else if (event.type === 'tool_call' && !hasReported) {
        note({ progress: { text: `${event.name} ${event.target}`.trim().slice(0, textCharsMax) } });
      }
    },
    reported() {
      hasReported = true;
      const { progress: _guessed, ...rest } = unsaid;
      unsaid = rest;
    },
    get usage() {
      return usage;
    },
    stop() {
      isStopped = true;
    },
  };
}

/** The count of an event, without what is no part of a usage. */
export function usageOf(event: Extract<AgentEvent, { type: 'usage' }>): Usage {
  return {
    input_tokens: event.input_tokens,
    output_tokens: event.output_tokens,
    cache_read_tokens: event.cache_read_tokens,
    cache_write_tokens: event.cache_write_tokens,
    ...(event.usd === undefined ? {} : { usd: event.usd }),
    ...(event.by_model === undefined ? {} : { by_model: event.by_model }),
  };
}
