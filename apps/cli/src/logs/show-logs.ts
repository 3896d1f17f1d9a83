import { TextDecoder } from 'node:util';
import { decodeLogChunk, eachItem, type LogBytes } from '@baton/sdk';
import type { Context } from '../context.ts';
import { plainText } from '../terminal/plain-text.ts';
import { createAgentLines, type AgentLines } from './agent-lines.ts';

/** What of a log is wanted, and how. */
export interface LogChoice {
  readonly follow: boolean;
  readonly attempt: string | undefined;
  readonly stream: string | undefined;
  readonly raw: boolean;
}

/**
 * Writes a task's output; with `follow` until the task ends. Of an agent what it says and does is
 * shown, of a command what it prints; `stream` and `raw` give the bytes. As JSON: a chunk a line.
 */
export async function showLogs(context: Context, task: string, choice: LogChoice): Promise<void> {
  const { out, isJson, signal } = context;
  const writer = createWriter(context, choice.raw);
  const isShown = await shownStreams(context, task, choice);
  for await (const chunk of chunksOf(context, task, choice)) {
    if (signal.aborted) return;
    if (isJson) {
      const { bytes, ...about } = chunk;
      out.json({ ...about, data: Buffer.from(bytes).toString('base64'), encoding: 'base64' });
    } else if (isShown(chunk)) {
      writer(chunk);
    }
  }
}

/**
 * An agent program prints its own protocol: there the `agent` stream is for people. A command's stream
 * of that name only repeats its exit code.
 */
async function shownStreams(
  { client, isJson }: Context,
  task: string,
  { attempt, stream, raw }: LogChoice,
): Promise<(chunk: LogBytes) => boolean> {
  if (isJson || stream !== undefined) return () => true;
  const { items } = await client().tasks.attempts(task);
  const engineOf = new Map(items.map(({ id, engine }) => [id, engine]));
  const newest = attempt ?? items[0]?.id;
  return ({ attempt: of, stream: name }) => {
    // An attempt that began after the list was read is of the same task: mostly of the same engine.
    const engine = engineOf.get(of) ?? (newest === undefined ? undefined : engineOf.get(newest));
    const isCommand = engine === undefined || engine === 'shell';
    if (isCommand || raw) return name !== 'agent';
    return name !== 'stdout';
  };
}

function createWriter({ out }: Context, isRaw: boolean): (chunk: LogBytes) => void {
  // One each a stream: a letter or a line may be cut between two chunks, or between two streams.
  const decoders = new Map<string, TextDecoder>();
  const agents = new Map<string, AgentLines>();
  return ({ attempt, stream, bytes }) => {
    const key = `${attempt} ${stream}`;
    const decoder = decoders.get(key) ?? new TextDecoder();
    decoders.set(key, decoder);
    const text = decoder.decode(bytes, { stream: true });
    if (isRaw) {
      out.raw(text);
    } else if (stream === 'agent') {
      const lines = agents.get(key) ?? createAgentLines();
      agents.set(key, lines);
      for (const line of lines.push(text)) out.line(line);
    } else {
      out.raw(plainText(text));
    }
  };
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
