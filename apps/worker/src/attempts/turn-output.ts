import type { AgentEvent, LogStream, ServerFrame } from '@baton/contract';
import type { Engine, ReaderEnd, ReaderStart } from '@baton/engines';
import type { Link } from '../link/link.ts';
import { attemptPaths } from '../spool/attempt-dir.ts';
import { openSpool, type Spool, type SpoolStream } from '../spool/spool.ts';
import type { TurnFiles } from './files.ts';
import { shipLog, type LogShipper } from './log-shipper.ts';
import { FileSource, inOrder, type LogSource } from './log-source.ts';
import { readTranscript } from './transcript.ts';

/** The streams of a turn on their way to the control plane. */
export interface TurnOutput {
  /** Resolves when all is stored, or nothing more is taken. */
  readonly shipped: Promise<void>;
  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void;
  /** A new connection. */
  reconnected(): void;
  close(): Promise<void>;
}

/** The output of an agent that may still run. */
export interface LiveOutput extends TurnOutput {
  /** Resolves when the agent has ended and all it said was read. */
  readonly end: Promise<ReaderEnd>;
}

/** Whose output goes where. */
export interface OutputOptions {
  readonly link: Link;
  readonly attempt: string;
  readonly epoch: number;
  /** The turn before this one: its streams come first. */
  readonly before: TurnFiles | undefined;
  readonly turn: TurnFiles;
}

/** Reads what the agent says, as it says it, and ships it. `end` rejects with the reason of `signal`. */
export function followTurn(
  options: OutputOptions,
  engine: Engine,
  start: ReaderStart,
  onEvent: (event: AgentEvent) => void,
  signal: AbortSignal,
): LiveOutput {
  const spool = openSpool(options.turn.dir);
  let shippers: readonly LogShipper[] = [];
  const news = {
    event: onEvent,
    grown() {
      for (const shipper of shippers) shipper.wake();
    },
  };
  const { source, end } = readTranscript(spool, engine, start, options.turn, news, signal);
  const sources = sourcesOf(options, spool, source);
  shippers = startShippers(options, sources);
  return { ...outputOf(shippers, [...sources.values(), spool]), end };
}

/** Ships a turn that was read to its end before. */
export function shipTurn(options: OutputOptions): TurnOutput {
  const spool = openSpool(options.turn.dir);
  const sources = sourcesOf(options, spool, new FileSource(options.turn.transcriptPath, true));
  return outputOf(startShippers(options, sources), [...sources.values(), spool]);
}

function sourcesOf(
  { before }: OutputOptions,
  spool: Spool,
  transcript: LogSource,
): ReadonlyMap<LogStream, LogSource> {
  const spooled = (stream: SpoolStream): LogSource => ({
    read: (offset, bytesMax) => spool.read(stream, offset, bytesMax),
    close: () => Promise.resolve(),
  });
  const own = { stdout: spooled('stdout'), stderr: spooled('stderr'), agent: transcript };
  if (before === undefined) return new Map(Object.entries(own) as [LogStream, LogSource][]);
  const { stdout, stderr } = attemptPaths(before.dir);
  return new Map<LogStream, LogSource>([
    ['stdout', inOrder(new FileSource(stdout, true), own.stdout)],
    ['stderr', inOrder(new FileSource(stderr, true), own.stderr)],
    ['agent', inOrder(new FileSource(before.transcriptPath, true), own.agent)],
  ]);
}

function startShippers(
  { link, attempt, epoch }: OutputOptions,
  sources: ReadonlyMap<LogStream, LogSource>,
): readonly LogShipper[] {
  return [...sources].map(([stream, source]) => shipLog(link, { attempt, epoch, stream }, source));
}

function outputOf(
  shippers: readonly LogShipper[],
  open: readonly { close(): Promise<void> }[],
): TurnOutput {
  const shipped = Promise.all(shippers.map((it) => it.done)).then(() => undefined);
  // Looked at by whoever tells the report; a failure before that is no unhandled one.
  shipped.catch(() => undefined);
  return {
    shipped,
    acknowledged(ack) {
      shippers.find((it) => it.stream === ack.stream)?.acknowledged(ack);
    },
    reconnected() {
      for (const shipper of shippers) shipper.reconnected();
    },
    async close() {
      for (const shipper of shippers) shipper.stop();
      await Promise.allSettled(shippers.map((it) => it.done));
      for (const it of open) await it.close();
    },
  };
}
