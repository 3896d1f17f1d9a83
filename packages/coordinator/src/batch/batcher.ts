import { AppError, type Command, type CommandType } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import { isStorageFull, StoreError } from '@baton/store';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { Log } from '../log.ts';
import { MoreLocks, UnknownCommit, type BatchResult } from './batch-result.ts';
import { createAheadLine } from './ahead-line.ts';
import type { DecidedBatch } from './decide-batch.ts';
import { executeBatch } from './execute-batch.ts';
import type { BatchPorts } from './open-batch.ts';
import { resolveCommit } from './resolve-commit.ts';
import { orderBatch } from './order.ts';
import type { IdempotencyRequest, Outcome, Pending } from './pending.ts';

/** Bounds of one batch: commands, and bytes of their bodies. */
const commandsMax = 256;
const batchBytesMax = 1024 * 1024;
/** Commands that wait at most; more are refused with 503, so that memory stays bounded. */
const waitingMax = 20_000;
/** How long a batch is tried again while the database is away, before its callers are told. */
const retryMsMax = 8_000;

/** Commands that never make work ready, so that no worker need be considered for it. */
const QUIET: ReadonlySet<CommandType> = new Set([
  'worker.heartbeat',
  'worker.gone',
  'attempt.heartbeat',
  'attempt.progress',
  'attempt.output',
  'attempt.artifact',
  'attempt.note',
  'task.note',
  'task.progress',
  'lease.grace',
  'joinToken.create',
]);

/** What a batcher works with. */
export interface BatcherSettings {
  readonly ports: BatchPorts;
  readonly log: Log;
  /** Workers that wait for work; asked for each batch. */
  readonly targets: () => readonly DispatchTarget[];
  /** Called when a batch is decided that is not written yet, and may still fail. */
  readonly decided: (done: DecidedBatch['done']) => void;
  /** Called after each commit, before the replies. */
  readonly committed: (result: BatchResult) => void;
}

/** How a command is to be taken. */
export interface SubmitOptions {
  /** Commands of one connection are decided in the order they were given. */
  readonly connection?: string | undefined;
  readonly idempotency?: IdempotencyRequest | undefined;
}

/**
 * The one write path. Takes what arrived while the last commit ran (natural group commit), executes it
 * as one transaction, replies after COMMIT. A command is never answered before it is durable.
 */
export interface Batcher {
  /** @throws {AppError} when the command is refused; `store_unavailable` when nothing could be written */
  submit(command: Command, options?: SubmitOptions): Promise<Reply>;
  /** Runs a batch soon, even an empty one: workers wait and there may be work. */
  kick(): void;
  /** Refuses new commands, finishes those that wait. */
  drain(): Promise<void>;
}

/** Starts with its first command or kick; nothing runs while nothing waits. */
export function createBatcher(settings: BatcherSettings): Batcher {
  let waiting: Pending[] = [];
  let running: Promise<void> | undefined;
  let kicked = false;
  let closed = false;
  const line = createAheadLine({
    ports: settings.ports,
    log: settings.log,
    decided: (done) => tell(settings, () => settings.decided(done)),
    finish: (items, result) => finish(settings, items, result),
    unknown: (items) => refuseAll(items, OUTCOME_UNKNOWN),
    failed(done) {
      settings.ports.catalogue.unlearn(done.writes);
      wake();
    },
  });
  const hasWork = (): boolean => waiting.length > 0 || kicked || line.hasFailed;

  function wake(): void {
    if (running !== undefined) return;
    running = loop().finally(() => {
      running = undefined;
      if (hasWork()) wake();
    });
  }

  async function loop(): Promise<void> {
    // One turn of the event loop, so that what arrives together commits together.
    await settings.ports.runtime.turn();
    while (hasWork()) {
      if (line.hasFailed) await runFailed();
      await line.room();
      kicked = false;
      const items = orderBatch(take());
      const canMakeReady = items.some((item) => !QUIET.has(item.command.type));
      const targets = settings.targets().filter((it) => it.searchStored || canMakeReady);
      if (items.length === 0 && targets.length === 0) continue;
      const taken = { items, targets: closed ? [] : targets };
      if (await line.send(taken)) continue;
      await runFailed();
      await runBatch(settings, taken.items, taken.targets);
    }
  }

  /** Waits for what is under way, and runs what of it was not written. */
  async function runFailed(): Promise<void> {
    await line.idle();
    for (const { items, targets } of line.takeFailed()) {
      await runBatch(settings, items, closed ? [] : targets);
    }
  }

  function take(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const item of waiting) {
      bytes += item.bytes;
      if (count > 0 && (count >= commandsMax || bytes > batchBytesMax)) break;
      count++;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  }

  return {
    submit(command, options = {}) {
      if (closed) return Promise.reject(new AppError('draining', 'The control plane is stopping.'));
      if (waiting.length >= waitingMax) {
        return Promise.reject(
          new AppError('store_unavailable', 'Too many commands wait for the database; try again.'),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({
          command,
          connection: options.connection,
          idempotency: options.idempotency,
          bytes: roughBytes(command),
          settle: (outcome) =>
            outcome.kind === 'done' ? resolve(outcome.reply) : reject(outcome.error),
        });
        wake();
      });
    },
    kick() {
      kicked = true;
      wake();
    },
    async drain() {
      closed = true;
      do {
        await line.idle();
        await running;
      } while (running !== undefined || hasWork());
    },
  };
}

/** Size of a command's free parts; cheap, and good enough to bound a batch. */
function roughBytes(command: Command): number {
  if (command.type === 'run.create') {
    const { plan } = command.body;
    return typeof plan === 'object'
      ? 500 * plan.tasks.length + 200 * plan.dependencies.length
      : 1_000;
  }
  if (command.type === 'attempt.output' || command.type === 'attempt.complete') return 2_000;
  return 300;
}

/** Runs a batch to its end: again after faults that left nothing behind, in halves after a data error. */
async function runBatch(
  settings: BatcherSettings,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
): Promise<void> {
  let runs: readonly string[] = [];
  const { runtime } = settings.ports;
  const deadlineMs = runtime.monotonicMs() + retryMsMax;
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    let done: BatchResult;
    try {
      done = await executeBatch(settings.ports, items, targets, runs);
    } catch (error) {
      if (error instanceof MoreLocks) {
        const more = [...new Set([...runs, ...error.runs])];
        const isMore = more.length > runs.length;
        runs = more;
        if (isMore) continue;
      }
      if (error instanceof UnknownCommit) {
        const found = await resolveCommit(settings.ports, error);
        if (found === 'aborted') {
          // A full disk undoes each try: whoever waits is told in the end.
          if (runtime.monotonicMs() < deadlineMs) continue;
          refuseAll(items, failureOf('retryable', error));
          return;
        }
        if (found === 'unknown') refuseAll(items, OUTCOME_UNKNOWN);
        else finish(settings, items, found);
        return;
      }
      const next = await recover(settings, items, error, runtime.monotonicMs() >= deadlineMs);
      if (next === 'settled') return;
      await runtime.sleep(pauseMs);
      continue;
    }
    // It is committed: whatever fails from here on, it is not run again.
    finish(settings, items, done);
    return;
  }
}

async function recover(
  settings: BatcherSettings,
  items: readonly Pending[],
  error: unknown,
  isLate: boolean,
): Promise<'again' | 'settled'> {
  const kind = error instanceof StoreError ? error.kind : 'bug';
  const isRace = error instanceof StoreError && error.sqlState === '23505';
  if (!isLate && (kind === 'retryable' || kind === 'unavailable' || isRace)) {
    settings.log.debug({ error }, 'a batch runs again');
    return 'again';
  }
  if ((kind === 'data' || kind === 'bug') && items.length > 1) {
    settings.log.warn({ error, commands: items.length }, 'a batch failed; its halves run apart');
    const middle = Math.ceil(items.length / 2);
    await runBatch(settings, items.slice(0, middle), []);
    await runBatch(settings, items.slice(middle), []);
    return 'settled';
  }
  const failed = failureOf(kind, error);
  settings.log.error(
    { error, commands: items.map((item) => item.command.type) },
    'commands could not be executed',
  );
  refuseAll(items, failed);
  return 'settled';
}

const OUTCOME_UNKNOWN = new AppError(
  'store_unavailable',
  'The connection to the database was lost while this was being written: look whether it took effect before you send it again, or send it with an Idempotency-Key.',
);

function refuseAll(items: readonly Pending[], error: AppError): void {
  for (const item of items) item.settle({ kind: 'refused', error });
}

function failureOf(kind: string, cause: unknown): AppError {
  if (isStorageFull(cause)) {
    return new AppError(
      'storage_full',
      'The disk of the control plane is full: nothing was written. Free some space there; it goes on by itself.',
      { cause },
    );
  }
  if (kind === 'retryable' || kind === 'unavailable') {
    return new AppError('store_unavailable', 'The database does not answer; try again.', { cause });
  }
  return new AppError('internal', 'The command could not be executed; the log says why.', {
    cause,
  });
}

/** Whatever fails in those who are told changes nothing of what is written, nor of who is answered. */
function tell({ log }: BatcherSettings, call: () => void): void {
  try {
    call();
  } catch (error) {
    log.error({ error }, 'what a batch did could not be taken up');
  }
}

function finish(settings: BatcherSettings, items: readonly Pending[], result: BatchResult): void {
  tell(settings, () => settings.committed(result));
  items.forEach((item, index) => {
    const outcome: Outcome | undefined = result.outcomes[index];
    if (outcome !== undefined) item.settle(outcome);
  });
}
