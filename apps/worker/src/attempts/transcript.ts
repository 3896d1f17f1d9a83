import type { AgentEvent, Usage } from '@baton/contract';
import type { Engine, ReaderEnd } from '@baton/engines';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { writeAll } from '../spool/durable-file.ts';
import type { Spool } from '../spool/spool.ts';
import type { LogSource } from './log-shipper.ts';
import type { PlanFile } from './files.ts';

/** What is told while an agent runs. */
export interface TranscriptNews {
  usage(total: Usage): void;
  session(conversation: string): void;
}

/** An agent's output read as events, kept as JSON lines that any restart makes again byte for byte. */
export interface Transcript {
  /** The JSON lines so far, for the log stream `agent`. */
  readonly source: LogSource;
  /** Resolves when the agent has ended and all of its output was read. */
  readonly end: Promise<ReaderEnd>;
}

/** Reads the spool from its start through the engine's reader; ends early with `signal`. */
export function readTranscript(
  spool: Spool,
  engine: Engine,
  plan: PlanFile,
  path: string,
  news: TranscriptNews,
  signal: AbortSignal,
): Transcript {
  const fd = openSync(path, 'w', 0o600);
  let length = 0;
  let isComplete = false;
  const reader = engine.openReader({
    resumed: plan.resumed,
    ...(plan.model === null ? {} : { model: plan.model }),
  });

  function note(events: readonly AgentEvent[]): void {
    if (events.length === 0) return;
    const lines = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    writeAll(fd, lines);
    length += lines.byteLength;
    for (const event of events) {
      if (event.type === 'usage') news.usage(usageOf(event));
      if (event.type === 'session') news.session(event.conversation);
    }
  }

  async function readStream(stream: 'stdout' | 'stderr'): Promise<void> {
    for await (const chunk of spool.follow(stream, 0, { signal })) {
      if (chunk.data.byteLength > 0) note(reader.push(chunk.data, stream));
    }
  }

  async function run(): Promise<ReaderEnd> {
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
    isComplete = true;
    return end;
  }

  return {
    source: {
      async read(offset, bytesMax) {
        // Before the read: what is complete now cannot grow while it is read.
        const ended = isComplete;
        const data = Buffer.alloc(Math.max(0, Math.min(bytesMax, length - offset)));
        const file = await open(path, 'r');
        try {
          const { bytesRead } = await file.read(data, 0, data.byteLength, offset);
          return {
            data: data.subarray(0, bytesRead),
            isComplete: ended && offset + bytesRead >= length,
          };
        } finally {
          await file.close();
        }
      },
    },
    end: run().finally(() => closeSync(fd)),
  };
}

function usageOf(event: Extract<AgentEvent, { type: 'usage' }>): Usage {
  return {
    input_tokens: event.input_tokens,
    output_tokens: event.output_tokens,
    cache_read_tokens: event.cache_read_tokens,
    cache_write_tokens: event.cache_write_tokens,
    ...(event.usd === undefined ? {} : { usd: event.usd }),
    ...(event.by_model === undefined ? {} : { by_model: event.by_model }),
  };
}
