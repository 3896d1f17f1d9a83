import {
  AppError,
  isTerminalRun,
  isTerminalTask,
  type Run,
  type TaskDetail,
} from '@baton/contract';
import type { Calls } from './calls.ts';
import { OPENED, readStream, type SseMessage, type StreamOptions } from './sse.ts';
import type { Transport } from './transport.ts';

export interface WaitOptions extends StreamOptions {
  /** Gives up after this long with code `timeout`; default: never. */
  readonly timeoutMs?: number | undefined;
}

/** Resolves with the run once it has ended and its delivery is decided. */
export function waitForRun(
  calls: Calls,
  transport: Transport,
  id: string,
  options: WaitOptions = {},
): Promise<Run> {
  return waitUntil(transport, options, {
    what: `run ${id}`,
    query: { run: id },
    eventPrefix: 'run.',
    read: () => calls.call('getRun', { params: { id }, signal: options.signal }),
    isDone: (run) => isTerminalRun(run.status) && run.delivery.state !== 'pending',
  });
}

/** Resolves with the task once it has ended. */
export function waitForTask(
  calls: Calls,
  transport: Transport,
  id: string,
  options: WaitOptions = {},
): Promise<TaskDetail> {
  return waitUntil(transport, options, {
    what: `task ${id}`,
    query: { task: id },
    eventPrefix: 'task.',
    read: () => calls.call('getTask', { params: { id }, signal: options.signal }),
    isDone: (task) => isTerminalTask(task.status),
  });
}

interface Awaited<T> {
  readonly what: string;
  readonly query: Readonly<Record<string, string>>;
  readonly eventPrefix: string;
  readonly read: () => Promise<T>;
  readonly isDone: (state: T) => boolean;
}

/** Longest time a timer of the platform can be set to; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** Looks whenever a connection opens and at each event, so that nothing falls between the two. */
async function waitUntil<T>(
  transport: Transport,
  options: WaitOptions,
  awaited: Awaited<T>,
): Promise<T> {
  const first = await awaited.read();
  if (awaited.isDone(first)) return first;
  // A timer and not AbortSignal.timeout, which nothing holds on to within AbortSignal.any in Node 20.
  const late = new AbortController();
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => late.abort(), Math.min(options.timeoutMs, timerMsMax));
  const signals = [late.signal, options.signal].filter((it) => it !== undefined);
  const messages = readStream(
    (lastEventId, signal) =>
      transport.sendOnce('listEvents', {
        query: { ...awaited.query, after: lastEventId === undefined ? 'now' : undefined },
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal,
      }),
    { ...options, signal: AbortSignal.any(signals), yieldOpened: true },
  );
  try {
    for await (const message of messages) {
      if (!mayChange(message, awaited.eventPrefix)) continue;
      const state = await awaited.read();
      if (awaited.isDone(state)) return state;
    }
  } finally {
    clearTimeout(timer);
  }
  if (options.signal?.aborted === true) throw abortReason(options.signal);
  throw new AppError('timeout', `Gave up waiting for ${awaited.what}; it goes on without you.`);
}

function mayChange(message: SseMessage, eventPrefix: string): boolean {
  if (message === OPENED || message.event === 'reset') return true;
  return message.data.includes(`"type":"${eventPrefix}`) || message.event.startsWith(eventPrefix);
}

function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
