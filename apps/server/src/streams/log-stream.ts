import { isTerminalTask } from '@baton/contract';
import type { App } from '../app.ts';
import { logChunkView } from '../views/attempt.ts';
import { heartbeatMs, sseHeartbeat, sseMessage } from './sse.ts';

/** Pieces that go out at once; each is at most 128 KiB. */
const chunksPerPiece = 8;

/** What to follow: a task's newest attempt, and those that come after it, or one attempt alone. */
export interface LogSubject {
  readonly project: string;
  readonly task: string;
  readonly attempt: string | undefined;
  readonly stream: string | undefined;
  /** Attempt and `seq` of the last piece that the reader has. */
  readonly after: { readonly attempt: string; readonly seq: number } | undefined;
}

type Parts = Pick<App, 'reads' | 'coordinator'>;

/** A task's output from its start, live; ends with the message `end` when no more will come. */
export async function* logStream(
  { reads, coordinator }: Parts,
  subject: LogSubject,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const { project, task, stream } = subject;
  let attempt = subject.attempt ?? subject.after?.attempt;
  let seq =
    subject.after !== undefined && subject.after.attempt === attempt ? subject.after.seq : 0;
  const news = createNews();
  const unsubscribes = [
    coordinator.logs.onAppend((appended) => {
      if (appended === attempt) news.tell();
    }),
    coordinator.onCommitted((committed) => {
      if (committed.some((event) => event.taskId === task)) news.tell();
    }),
  ];
  try {
    yield sseHeartbeat;
    while (!signal.aborted) {
      const read = await reads.findTask(project, task);
      if (read === undefined) return;
      attempt ??= read.task.attemptId ?? undefined;
      const state = attempt === undefined ? undefined : await reads.findAttempt(attempt);
      const chunks =
        attempt === undefined
          ? []
          : await reads.logsOfAttempt(attempt, stream, seq, chunksPerPiece);
      if (chunks.length > 0) {
        seq = chunks.at(-1)?.seq ?? seq;
        yield chunks
          .map((it) => sseMessage({ id: `${it.attemptId}.${it.seq}`, data: logChunkView(it) }))
          .join('');
        continue;
      }
      // All of this attempt is out. State was read before its log, so nothing can have come since.
      const ended = state !== undefined && state.attempt.endedAtMs !== null;
      const next = read.task.attemptId ?? undefined;
      if (ended && subject.attempt === undefined && next !== attempt) {
        attempt = next;
        seq = 0;
        continue;
      }
      const over = subject.attempt === undefined ? isTerminalTask(read.task.status) : ended;
      if (over && (ended || state === undefined)) {
        yield sseMessage({ event: 'end', data: { status: read.task.status } });
        return;
      }
      if (!(await news.wait(heartbeatMs, signal))) yield sseHeartbeat;
    }
  } finally {
    for (const unsubscribe of unsubscribes) unsubscribe();
  }
}

interface News {
  tell(): void;
  /** True when there was news, false after `waitMs` or when the signal fired. */
  wait(waitMs: number, signal: AbortSignal): Promise<boolean>;
}

/** Wakes one waiter; news that came while nobody waited is not lost. */
function createNews(): News {
  let pending = false;
  let wake: (() => void) | undefined;
  return {
    tell() {
      pending = true;
      wake?.();
    },
    async wait(waitMs, signal) {
      if (!pending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const stop = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', stop);
            resolve();
          };
          const timer = setTimeout(stop, waitMs);
          wake = stop;
          signal.addEventListener('abort', stop);
        });
      }
      const told = pending;
      pending = false;
      wake = undefined;
      return told;
    },
  };
}
