import { AGENT_EVENT_LIMITS, agentEvent, type AgentEvent, type Usage } from '@baton/contract';
import type { Engine, ReaderEnd, ReaderStart } from '@baton/engines';
import { closeSync, openSync } from 'node:fs';
import { writeAll } from '../spool/durable-file.ts';
import type { Spool } from '../spool/spool.ts';
import type { TurnFiles } from './files.ts';
import { FileSource, type LogSource } from './log-source.ts';

/** The last count of a transcript stands near its end. */
const tailBytesMax = 1024 * 1024;

/** What is told while an agent runs. */
export interface TranscriptNews {
  /** Something was said; all of it stands in the transcript. */
  event(event: AgentEvent): void;
  /** There is more of a stream, or of the transcript. */
  grown(): void;
}

/** An agent's output read as events, kept as JSON lines that any restart makes again byte for byte. */
export interface Transcript {
  /** The JSON lines so far, for the log stream `agent`. */
  readonly source: LogSource;
  /** Resolves when the agent has ended and all of its output was read. */
  readonly end: Promise<ReaderEnd>;
}

/**
 * Reads the spool from its start through the engine's reader; rejects with the reason of `signal`. What the
 * launch warned of comes first.
 */
export function readTranscript(
  spool: Spool,
  engine: Engine,
  start: ReaderStart,
  turn: TurnFiles,
  news: TranscriptNews,
  signal: AbortSignal,
): Transcript {
  const fd = openSync(turn.transcriptPath, 'w', 0o600);
  const file = new FileSource(turn.transcriptPath);
  const reader = engine.openReader(start);

  function note(events: readonly AgentEvent[]): void {
    if (events.length > 0) {
      const lines = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      writeAll(fd, lines);
      file.length += lines.byteLength;
      for (const event of events) news.event(event);
    }
    news.grown();
  }

  async function readStream(stream: 'stdout' | 'stderr'): Promise<void> {
    for await (const chunk of spool.follow(stream, 0, { signal })) {
      if (chunk.data.byteLength > 0) note(reader.push(chunk.data, stream));
    }
    news.grown();
  }

  async function run(): Promise<ReaderEnd> {
    note((turn.plan()?.warnings ?? []).map(warningOf));
    await Promise.all([readStream('stdout'), readStream('stderr')]);
    signal.throwIfAborted();
    const exit = spool.exit();
    const end = reader.end({
      code: exit?.code ?? null,
      signal: exit?.signal ?? null,
      ...(exit?.reason === 'run_timeout' ? { stopped: 'timeout' as const } : {}),
      ...(exit?.reason === 'stopped' ? { stopped: 'cancelled' as const } : {}),
    });
    note(end.events);
    file.isComplete = true;
    news.grown();
    return end;
  }

  return { source: file, end: run().finally(() => closeSync(fd)) };
}

function warningOf(text: string): AgentEvent {
  return {
    type: 'notice',
    level: 'warning',
    text: text.slice(0, AGENT_EVENT_LIMITS.noticeCharsMax),
  };
}

/** Totals of a conversation over all turns so far, as the last `usage` event of a transcript says. */
export async function findConversationUsage(transcriptPath: string): Promise<Usage | null> {
  const file = new FileSource(transcriptPath, true);
  try {
    const { data } = await file.read(Math.max(0, file.length - tailBytesMax), tailBytesMax);
    for (const line of Buffer.from(data).toString().split('\n').toReversed()) {
      if (!line.startsWith('{"type":"usage"')) continue;
      const event = agentEvent.safeParse(JSON.parse(line));
      if (event.success && event.data.type === 'usage') return event.data.conversation ?? null;
    }
    return null;
  } finally {
    await file.close();
  }
}
