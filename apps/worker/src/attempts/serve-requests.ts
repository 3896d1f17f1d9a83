import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { listOutbox, recordAnswer, type AnsweredEntry } from '../supervisor/client.ts';
import type { OutboxAnswer } from '../supervisor/outbox.ts';
import { findExit } from '../supervisor/records.ts';
import type { AgentProcess } from './agent-process.ts';
import type { AgentAnswer, AgentRequests } from './agent-requests.ts';

/** The way between the files of a supervisor and `AgentRequests`. */
export interface RequestService {
  /** Resolves when the agent has ended and its last request is dealt with, or `signal` fired. Never rejects. */
  readonly served: Promise<void>;
  /** Gives the agent an answer that came late. */
  answer(requestId: string, answer: AgentAnswer): void;
}

const outboxWaitMs = 10_000;
/** Requests on their way at once; the others stay in the supervisor's files until there is room. */
const inFlightMax = 16;
/** A supervisor without a sign of its daemon for longer takes it for dead. */
const signOfLifeMs = 5_000;
const retryMs = 100;

function isQuestion({ kind }: AnsweredEntry): boolean {
  return kind === 'checkpoint' || kind === 'plan';
}

/** Carries requests from the supervisor to `requests`, and the answers back. */
export function openRequestService(
  dir: string,
  agent: AgentProcess,
  requests: AgentRequests,
  log: Log,
  signal: AbortSignal,
): RequestService {
  /** Those that were taken up, whether or not they have an answer by now. */
  const taken = new Set<string>();
  const inFlight = new Set<Promise<void>>();

  async function serve(): Promise<void> {
    let after = 0;
    let { client } = agent;
    let isStuck = false;
    while (client !== undefined && !signal.aborted) {
      try {
        const answer = await client.outbox(after, outboxWaitMs, signal, isStuck);
        const { entries, exit, stuck = false } = answer;
        if (stuck !== isStuck) requests.stuck(stuck);
        isStuck = stuck;
        for (const entry of entries) {
          await room();
          if (signal.aborted) return;
          after = entry.seq;
          take(entry);
        }
        if (exit !== null && entries.length === 0) break;
      } catch {
        if (signal.aborted) return;
        client = await clientAgain();
        if (client !== undefined) await sleep(retryMs);
      }
    }
    if (signal.aborted) return;
    // What was handed in while no daemon was there, before the agent ended. Questions are moot by then.
    for (const entry of listOutbox(dir)) {
      if (isQuestion(entry)) continue;
      await room();
      take(entry);
    }
    await Promise.all(inFlight);
  }

  async function clientAgain(): Promise<AgentProcess['client']> {
    while (!signal.aborted) {
      try {
        return await agent.reconnect();
      } catch (error) {
        log.warn({ error, dir }, 'the supervisor of an agent cannot be reached');
        await sleep(retryMs * 10);
      }
    }
    return undefined;
  }

  function take(entry: AnsweredEntry): void {
    if (entry.answer !== undefined || taken.has(entry.id)) return;
    taken.add(entry.id);
    const work = requests.handle(entry).then(async (answer) => {
      if (answer !== undefined) await give(entry.id, answer);
    });
    // A question may be on its way for as long as the agent lives: nothing waits for that.
    if (isQuestion(entry)) return;
    const tracked = work.finally(() => inFlight.delete(tracked));
    inFlight.add(tracked);
  }

  async function room(): Promise<void> {
    while (inFlight.size >= inFlightMax && !signal.aborted) {
      const late = sleep(signOfLifeMs, undefined, { signal, ref: false }).catch(() => undefined);
      await Promise.race([...inFlight, late]);
      await agent.client?.attach().catch(() => undefined);
    }
  }

  async function give(id: string, answer: AgentAnswer): Promise<void> {
    while (!signal.aborted) {
      const { client } = agent;
      if (client === undefined || findExit(dir) !== undefined) {
        note({ id, ...answer });
        return;
      }
      try {
        await client.answer([{ id, ...answer }]);
        return;
      } catch (error) {
        log.debug({ error, dir }, 'an answer did not reach its agent');
        await sleep(retryMs);
        await clientAgain();
      }
    }
  }

  /** Nobody waits for it any more: it only keeps a restart from asking again. */
  function note(answer: OutboxAnswer): void {
    try {
      recordAnswer(dir, answer);
    } catch (error) {
      log.warn({ error, dir }, 'an answer could not be noted');
    }
  }

  return {
    served: serve().catch((error: unknown) => {
      log.error({ error, dir }, 'the requests of an agent are no longer served');
    }),
    answer(id, answer) {
      void give(id, answer);
    },
  };
}
