import { createHash } from 'node:crypto';
import { LIMITS, type AgentEvent, type AttemptActions } from '@baton/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import { effectOf } from './effect-of.ts';

type Told = AttemptActions['actions'][number];

/** Puts an agent's tool calls on the ledger of the control plane, as its events tell of them. */
export interface ActionLedger {
  event(event: AgentEvent): void;
  /** Resolves when all that was said so far is on the ledger, or cannot be. Never rejects. */
  flush(): Promise<void>;
  stop(): void;
}

const gatherMs = 500;

interface About {
  readonly attempt: string;
  readonly epoch: number;
  /** Ids of calls begin anew with each turn. */
  readonly turn: number;
}

/**
 * An agent that is read again from its start says everything again: a call is on the ledger once. At
 * most `actionsPerAttemptMax` are told; an agent that calls more often is told of in its log alone.
 */
export function createActionLedger(
  link: Link,
  { attempt, epoch, turn }: About,
  log: Log,
): ActionLedger {
  const unsaid = new Map<string, Told>();
  const started = new Map<string, Told>();
  let count = 0;
  let isStopped = false;
  let telling: Promise<void> | undefined;

  async function tell(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { ref: false });
    while (!isStopped && unsaid.size > 0) {
      const actions = [...unsaid.values()].slice(0, LIMITS.actionsPerWriteMax);
      for (const { call } of actions) unsaid.delete(call);
      const { error } = await link.request({ type: 'actions', attempt, body: { epoch, actions } });
      if (error !== null) {
        log.debug({ error, attempt }, 'actions were not taken');
        isStopped = error.code === 'stale_epoch' || error.code === 'not_found';
      }
    }
  }

  function schedule(delayMs: number): Promise<void> {
    telling ??= tell(delayMs)
      .catch(() => undefined)
      .finally(() => {
        telling = undefined;
        if (!isStopped && unsaid.size > 0) void schedule(gatherMs);
      });
    return telling;
  }

  function note(told: Told): void {
    unsaid.set(told.call, told);
    void schedule(gatherMs);
  }

  return {
    event(event) {
      if (isStopped) return;
      if (event.type === 'tool_call' && count < LIMITS.actionsPerAttemptMax) {
        count += 1;
        const told: Told = {
          call: callOf(turn, event.id),
          kind: 'tool_call',
          name: event.name.slice(0, 200) || 'tool',
          target: event.target.slice(0, 300),
          effect: effectOf(event.name, event.target),
          status: 'started',
          input_sha256: createHash('sha256').update(JSON.stringify(event.input)).digest('hex'),
        };
        started.set(event.id, told);
        note(told);
      } else if (event.type === 'tool_result') {
        const told = started.get(event.id);
        started.delete(event.id);
        if (told !== undefined) note({ ...told, status: event.ok ? 'succeeded' : 'failed' });
      }
    },
    async flush() {
      while (!isStopped && (unsaid.size > 0 || telling !== undefined)) await schedule(0);
    },
    stop() {
      isStopped = true;
    },
  };
}

function callOf(turn: number, id: string): string {
  return (turn === 1 ? id : `turn${turn}:${id}`).slice(0, 200);
}
