import {
  decodeLogFrame,
  DEFAULTS,
  workerFrame,
  type Actor,
  type Json,
  type ServerFrame,
  type WorkerFrame,
} from '@baton/contract';
import type { Reply } from '@baton/kernel';
import type { RawData, WebSocket } from 'ws';
import type { App } from '../app.ts';
import { parseJson } from '../edge/json-guard.ts';
import type { WorkerPrincipal } from '../auth/principal.ts';
import { assignmentsOf } from '../routes/claims.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { commandOf, type CountedFrame } from './frame-commands.ts';
import { frameErrorOf, internalFrameError } from './link-error.ts';
import { createTurns } from './turns.ts';

/** Frames that wait for the database; more stop the reading until some are done. */
const framesWaitingMax = 500;
/** Bytes that wait to be sent; a worker that reads so slowly is cut off, and is told all again later. */
const sendBytesMax = 16 * 1024 * 1024;
/** A worker that says no hello by then is cut off. */
const helloMsMax = 10_000;

/** Frames after which the worker is done with an attempt. */
const ending: ReadonlySet<string> = new Set(['complete', 'fail', 'release']);

type Hello = Extract<WorkerFrame, { type: 'hello' }>;

/** What the link server is told by a connection. */
export interface LinkEvents {
  /** The worker said hello; `reply` says what became of what it knew. */
  readonly onHello: (connection: LinkConnection, hello: Hello) => void;
  readonly onClosed: (connection: LinkConnection) => void;
}

/** One worker's open link. */
export interface LinkConnection {
  readonly worker: WorkerPrincipal;
  /** Of the daemon that said hello; undefined before. */
  readonly incarnation: string | undefined;
  /** Epoch of an attempt that the worker was given or said to have, and has not reported the end of. */
  epochOf(attempt: string): number | undefined;
  send(frame: ServerFrame): void;
  assign(attempts: readonly string[]): Promise<void>;
  /** Says why, and closes. `reconnect`: the worker should come back by itself. */
  bye(reason: string, reconnect: boolean): void;
  /** Cuts the connection without a word. */
  terminate(): void;
  /** Resolves when all that it was sent has been dealt with. */
  settled(): Promise<void>;
}

/** Serves one connection: frames become commands in the order in which they came, attempt by attempt. */
export function serveConnection(
  app: App,
  socket: WebSocket,
  worker: WorkerPrincipal,
  events: LinkEvents,
): LinkConnection {
  const actor: Actor = { kind: 'worker', id: worker.id, name: worker.name };
  const speaker = { worker: worker.id, project: worker.project, actor };
  const held = new Map<string, number>();
  let incarnation: string | undefined;
  /** Settles when the hello was dealt with; undefined before one came. What follows it waits for it. */
  let greeting: Promise<void> | undefined;
  let closed = false;
  const turns = createTurns(() => {
    if (socket.isPaused && turns.waiting < framesWaitingMax / 2) socket.resume();
  });
  const noHello = setTimeout(() => connection.bye('say hello first', true), helloMsMax);

  const connection: LinkConnection = {
    worker,
    get incarnation() {
      return incarnation;
    },
    epochOf: (attempt) => held.get(attempt),
    send(frame) {
      if (closed) return;
      if (socket.bufferedAmount > sendBytesMax) {
        app.log.warn({ worker: worker.name }, 'the worker reads too slowly; its link is cut');
        socket.terminate();
        return;
      }
      socket.send(JSON.stringify(frame));
    },
    async assign(attempts) {
      for (const assignment of await assignmentsOf(app, attempts)) {
        held.set(assignment.attempt.id, assignment.attempt.epoch);
        connection.send({ type: 'assign', assignment });
      }
    },
    bye(reason, reconnect) {
      connection.send({ type: 'bye', reason, reconnect });
      socket.close(reconnect ? 1012 : 1008, reason.slice(0, 100));
    },
    terminate: () => socket.terminate(),
    settled: () => turns.idle(),
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (closed) return;
    if (isBinary) takeLog(bytesOf(data));
    else takeFrame(bytesOf(data));
    if (turns.waiting >= framesWaitingMax) socket.pause();
  });
  socket.on('error', (error) => app.log.debug({ err: error, worker: worker.name }, 'link error'));
  socket.on('close', () => {
    closed = true;
    clearTimeout(noHello);
    events.onClosed(connection);
  });
  return connection;

  function takeFrame(bytes: Buffer): void {
    const frame = parseFrame(bytes);
    if (frame === undefined) {
      connection.bye('a frame that is not of this protocol', false);
      return;
    }
    if (frame.type === 'hello') {
      greeting = guarded('hello', () => hello(frame));
      const said = greeting;
      turns.run('link', () => said);
      return;
    }
    if (greeting === undefined) {
      connection.bye('say hello first', true);
      return;
    }
    switch (frame.type) {
      case 'slots':
        inTurn('link', async () => {
          if (!closed) app.coordinator.parkWorker(worker.id, worker.project, frame.free);
        });
        return;
      case 'heartbeat':
        inTurn('beat', () => guarded('heartbeat', () => beat(frame)));
        return;
      case 'drain':
        inTurn('link', () => guarded('drain', () => drain(frame.draining)));
        return;
      default:
        inTurn(frame.type === 'delivered' ? frame.run : frame.attempt, () => counted(frame));
    }
  }

  /** Nothing may overtake the news of what the worker has. */
  function inTurn(key: string, task: () => Promise<void>): void {
    const after = greeting;
    turns.run(key, async () => {
      await after;
      await task();
    });
  }

  function takeLog(bytes: Buffer): void {
    const piece = decodeLogFrame(bytes);
    if (piece === undefined || greeting === undefined) {
      connection.bye('a log frame that is not of this protocol', false);
      return;
    }
    // The socket's buffer is used again once this returns.
    const copy = { ...piece, data: Uint8Array.from(piece.data), worker: worker.id };
    inTurn(piece.attempt, async () => {
      const { attempt, stream, offset } = copy;
      try {
        const { nextOffset } = await app.coordinator.logs.append(copy);
        connection.send({ type: 'log_ack', attempt, stream, next_offset: nextOffset, error: null });
      } catch (error) {
        const told = errorOf(error, 'log');
        connection.send({ type: 'log_ack', attempt, stream, next_offset: offset, error: told });
      }
    });
  }

  async function hello(frame: Hello): Promise<void> {
    const reply = await app.coordinator.submit(
      { type: 'worker.hello', project: worker.project, actor, worker: worker.id, hello: frame },
      { connection: worker.id },
    );
    if (closed) return;
    clearTimeout(noHello);
    incarnation = frame.incarnation;
    const stale = new Set(reply.stale);
    for (const { id, epoch } of frame.attempts) if (!stale.has(id)) held.set(id, epoch);
    const read = await app.reads.findWorker(worker.project, worker.id);
    connection.send({
      type: 'welcome',
      worker: worker.id,
      heartbeat_seconds: DEFAULTS.heartbeatSeconds,
      stop: [...stale],
      draining: read?.worker.draining ?? false,
    });
    events.onHello(connection, frame);
    tellCancels(reply.cancel ?? []);
    await connection.assign((reply.claimed ?? []).map(({ attempt }) => attempt));
    await catchUp();
  }

  /** Decisions and deliveries that came while the worker was away; hearing them twice is harmless. */
  async function catchUp(): Promise<void> {
    const attempts = [...held.keys()];
    const closedOnes =
      attempts.length === 0 ? [] : await app.reads.closedCheckpointsOfAttempts(attempts);
    for (const read of closedOnes) {
      const attempt = read.checkpoint.attemptId;
      if (attempt === null) continue;
      connection.send({ type: 'checkpoint_resolved', attempt, checkpoint: checkpointView(read) });
    }
    for (const run of await app.reads.deliveriesOfWorker(worker.id)) {
      if (run.deliveryOrder !== null)
        connection.send({ type: 'deliver', order: run.deliveryOrder });
    }
  }

  async function beat(frame: Extract<WorkerFrame, { type: 'heartbeat' }>): Promise<void> {
    const reply = await app.coordinator.submit({
      type: 'worker.heartbeat',
      project: worker.project,
      actor,
      worker: worker.id,
      beat: { attempts: frame.attempts },
    });
    tellCancels(reply.cancel ?? []);
    const stale = [...(reply.stale ?? [])];
    for (const attempt of stale) held.delete(attempt);
    if (stale.length > 0) connection.send({ type: 'stale', attempts: stale });
  }

  function tellCancels(attempts: readonly string[]): void {
    for (const attempt of attempts) {
      const epoch = held.get(attempt);
      if (epoch === undefined) continue;
      connection.send({
        type: 'cancel',
        attempt,
        epoch,
        reason: 'cancelled',
        grace_seconds: DEFAULTS.termToKillSeconds,
      });
    }
  }

  async function drain(draining: boolean): Promise<void> {
    await app.coordinator.submit({
      type: 'worker.drain',
      project: worker.project,
      actor,
      worker: worker.id,
      draining,
    });
  }

  async function counted(frame: CountedFrame): Promise<void> {
    const { seq } = frame;
    try {
      const reply = await app.coordinator.submit(commandOf(frame, speaker), {
        connection: worker.id,
      });
      if (ending.has(frame.type) && 'attempt' in frame) held.delete(frame.attempt);
      connection.send({ type: 'ack', seq, error: null, body: await answerTo(frame, reply) });
    } catch (error) {
      connection.send({ type: 'ack', seq, error: errorOf(error, frame.type), body: null });
    }
  }

  async function answerTo(frame: CountedFrame, reply: Reply): Promise<Json> {
    if (frame.type === 'checkpoint_open' && reply.checkpoint !== undefined) {
      const read = await app.reads.findCheckpoint(worker.project, reply.checkpoint);
      return read === undefined ? null : (checkpointView(read) as Json);
    }
    return reply.already === true ? { already: true } : null;
  }

  /** Frames without a `seq`: their failure ends the connection, so that the worker begins again. */
  async function guarded(what: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      const told = errorOf(error, what);
      connection.bye(`${what}: ${told.detail}`, told.retry);
    }
  }

  function errorOf(error: unknown, what: string) {
    const told = frameErrorOf(error);
    if (told !== undefined) return told;
    app.log.error({ err: error, worker: worker.name, frame: what }, 'a frame failed');
    return internalFrameError;
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function parseFrame(bytes: Buffer): WorkerFrame | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes, false);
  } catch {
    return undefined;
  }
  const parsed = workerFrame.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
