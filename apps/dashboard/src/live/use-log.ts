import { useEffect, useState } from 'react';
import { client } from '../api/client.ts';
import { LogText, type LogLine } from '../model/log-text.ts';
import { TranscriptReader, type Transcript } from '../model/transcript.ts';

/** The output of one attempt as far as it has come. */
export interface Output {
  /** Attempt whose output this is; another one's is never shown under its name. */
  readonly attempt: string;
  readonly lines: readonly LogLine[];
  readonly dropped: number;
  readonly transcript: Transcript;
  readonly phase: 'loading' | 'live' | 'broken' | 'ended';
  readonly error: unknown;
}

const EMPTY: Transcript = { session: undefined, usage: undefined, entries: [], skipped: 0 };
/** Often enough to look live, seldom enough that a flood of output does not block the page. */
const FLUSH_MS = 80;

/** Follows the output of an attempt from its start, all streams over one connection. */
export function useLog(task: string, attempt: string | null): Output {
  const [output, setOutput] = useState<Output>(() => emptyOutput(attempt ?? ''));
  useEffect(() => {
    if (attempt === null) return;
    const stop = new AbortController();
    void follow(task, attempt, stop.signal, setOutput);
    return () => stop.abort();
  }, [task, attempt]);
  return output.attempt === (attempt ?? '') ? output : emptyOutput(attempt ?? '');
}

function emptyOutput(attempt: string): Output {
  return { attempt, lines: [], dropped: 0, transcript: EMPTY, phase: 'loading', error: undefined };
}

async function follow(
  task: string,
  attempt: string,
  signal: AbortSignal,
  publish: (output: Output) => void,
): Promise<void> {
  const text = new LogText();
  const reader = new TranscriptReader();
  let phase: Output['phase'] = 'loading';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (error?: unknown): void => {
    clearTimeout(timer);
    timer = undefined;
    if (signal.aborted) return;
    const { dropped } = text;
    publish({
      attempt,
      lines: text.lines(),
      dropped,
      transcript: reader.transcript(),
      phase,
      error,
    });
  };
  const chunks = client.tasks.followLogs(task, {
    attempt,
    signal,
    onState: ({ state }) => {
      phase = state === 'connected' ? 'live' : 'broken';
      timer ??= setTimeout(flush, FLUSH_MS);
    },
  });
  try {
    for await (const chunk of chunks) {
      if (chunk.stream === 'agent') reader.push(chunk.bytes);
      else text.push(chunk.stream, chunk.bytes);
      timer ??= setTimeout(flush, FLUSH_MS);
    }
    phase = 'ended';
    flush();
  } catch (error) {
    phase = 'broken';
    flush(error);
  }
}
