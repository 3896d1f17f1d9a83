import { TextDecoder } from 'node:util';
import { decodeLogChunk, eachItem, type LogBytes } from '@baton/sdk';
import type { Context } from '../context.ts';
import { plainText } from '../terminal/plain-text.ts';

export interface LogChoice {
  readonly follow: boolean;
  readonly attempt: string | undefined;
  readonly stream: string | undefined;
  readonly raw: boolean;
}

/** Writes a task's output; with `follow` until the task ends. As JSON: a chunk a line. */
export async function showLogs(context: Context, task: string, choice: LogChoice): Promise<void> {
  const { out, isJson, signal } = context;
  // One decoder a stream: a letter may be cut between two chunks, or between two streams.
  const decoders = new Map<string, TextDecoder>();
  for await (const chunk of chunksOf(context, task, choice)) {
    if (signal.aborted) return;
    if (isJson) {
      const { bytes, ...about } = chunk;
      out.json({ ...about, data: Buffer.from(bytes).toString('base64'), encoding: 'base64' });
      continue;
    }
    const key = `${chunk.attempt} ${chunk.stream}`;
    const decoder = decoders.get(key) ?? new TextDecoder();
    decoders.set(key, decoder);
    const text = decoder.decode(chunk.bytes, { stream: true });
    out.raw(choice.raw ? text : plainText(text));
  }
}

async function* chunksOf(
  { client, signal }: Context,
  task: string,
  { follow, attempt, stream }: LogChoice,
): AsyncGenerator<LogBytes> {
  if (follow) {
    yield* client().tasks.followLogs(task, { attempt, stream, signal });
    return;
  }
  const chunks = eachItem((cursor) => client().tasks.logs(task, { attempt, stream, cursor }));
  for await (const chunk of chunks) yield decodeLogChunk(chunk);
}
