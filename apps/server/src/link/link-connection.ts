import { randomUUID } from 'node:crypto';
import { decodeLogFrame, DEFAULTS, type ServerFrame, type WorkerFrame } from '@baton/contract';
import type { RawData, WebSocket } from 'ws';
import type { App } from '../app.ts';
import type { WorkerPrincipal } from '../auth/principal.ts';
import { assignmentsOf } from '../routes/claims.ts';
import { answerAgent } from './agent-frames.ts';
import { bytesOf, parseFrame, seqOf } from './frame-bytes.ts';
import { commandOf, isAgentFrame, type CountedFrame, type Speaker } from './frame-commands.ts';
import { frameErrorOf, internalFrameError } from './link-error.ts';
import { answerTo, missedFrames, stopFrames } from './told-again.ts';
import { createTurns, type Turns } from './turns.ts';

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
  /** The worker said hello, and it took effect. */
  readonly onHello: (connection: LinkConnection) => void;
  readonly onClosed: (connection: LinkConnection) => void;
}

/** One worker's open link. */
export interface LinkConnection {
  readonly worker: WorkerPrincipal;
  /** Of this link and the daemon that said hello on it; undefined before. */
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
  return new Connection(app, socket, worker, events);
}

class Connection implements LinkConnection {
  readonly worker: WorkerPrincipal;
  incarnation: string | undefined;
  readonly #app: App;
  readonly #socket: WebSocket;
  readonly #events: LinkEvents;
  /** What each of its commands begins with. */
  readonly #speaker: Speaker;
  readonly #held = new Map<string, number>();
  readonly #turns: Turns;
  readonly #noHello: NodeJS.Timeout;
  /** Settles when the hello was dealt with; undefined before one came. What follows it waits for it. */
  #greeting: Promise<void> | undefined;
  #closed = false;

  constructor(app: App, socket: WebSocket, worker: WorkerPrincipal, events: LinkEvents) {
    this.worker = worker;
    this.#app = app;
    this.#socket = socket;
    this.#events = events;
    const { id, name, project } = worker;
    this.#speaker = { worker: id, project, actor: { kind: 'worker', id, name } };
    this.#turns = createTurns(() => {
      if (socket.isPaused && this.#turns.waiting < framesWaitingMax / 2) socket.resume();
    });
    this.#noHello = setTimeout(() => this.bye('say hello first', true), helloMsMax);
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (this.#closed) return;
      if (isBinary) this.#takeLog(bytesOf(data));
      else this.#takeFrame(bytesOf(data));
      if (this.#turns.waiting >= framesWaitingMax) socket.pause();
    });
    socket.on('error', (error) => app.log.debug({ err: error, worker: worker.name }, 'link error'));
    socket.on('close', () => {
      this.#closed = true;
      clearTimeout(this.#noHello);
      events.onClosed(this);
    });
  }

  epochOf(attempt: string): number | undefined {
    return this.#held.get(attempt);
  }

  send(frame: ServerFrame): void {
    if (this.#closed) return;
    if (this.#socket.bufferedAmount > sendBytesMax) {
      this.#app.log.warn(
        { worker: this.worker.name },
        'the worker reads too slowly; its link is cut',
      );
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(frame));
  }

  async assign(attempts: readonly string[]): Promise<void> {
    for (const assignment of await assignmentsOf(this.#app, attempts)) {
      this.#held.set(assignment.attempt.id, assignment.attempt.epoch);
      this.send({ type: 'assign', assignment });
    }
  }

  bye(reason: string, reconnect: boolean): void {
    this.send({ type: 'bye', reason, reconnect });
    this.#socket.close(reconnect ? 1012 : 1008, reason.slice(0, 100));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  settled(): Promise<void> {
    return this.#turns.idle();
  }

  /**
   * Only the sender of a bad frame pays for it: what else the worker has to tell must get through, and
   * would not if the same frame ended each new connection.
   */
  #refuse(bytes: Buffer): void {
    const seq = this.#greeting === undefined ? undefined : seqOf(bytes);
    if (seq === undefined) {
      this.bye('a frame that is not of this protocol', false);
      return;
    }
    const detail = 'This frame is not of the protocol, or has text that cannot be stored.';
    const error = { code: 'bad_request', detail, retry: false, facts: {} };
    this.send({ type: 'ack', seq, error, body: null });
  }

  #takeFrame(bytes: Buffer): void {
    const frame = parseFrame(bytes);
    if (frame === undefined) {
      this.#refuse(bytes);
      return;
    }
    if (frame.type === 'hello') {
      this.#greeting = this.#guarded('hello', () => this.#hello(frame));
      const said = this.#greeting;
      this.#turns.run('link', () => said);
      return;
    }
    if (this.#greeting === undefined) {
      this.bye('say hello first', true);
      return;
    }
    switch (frame.type) {
      case 'slots':
        this.#inTurn('link', async () => {
          if (this.#closed) return;
          this.#app.coordinator.parkWorker(this.worker.id, this.worker.project, frame.free);
          if (frame.leaving === true) await this.#guarded('leaving', () => this.#leave());
        });
        return;
      case 'heartbeat':
        this.#inTurn('beat', () => this.#guarded('heartbeat', () => this.#beat(frame)));
        return;
      case 'drain':
        this.#inTurn('link', () => this.#guarded('drain', () => this.#drain(frame.draining)));
        return;
      default:
        this.#inTurn(frame.type === 'delivered' ? frame.run : frame.attempt, () =>
          this.#counted(frame),
        );
    }
  }

  /** Nothing may overtake the news of what the worker has. */
  #inTurn(key: string, task: () => Promise<void>): void {
    const after = this.#greeting;
    this.#turns.run(key, async () => {
      await after;
      await task();
    });
  }

  #takeLog(bytes: Buffer): void {
    const piece = decodeLogFrame(bytes);
    if (piece === undefined || this.#greeting === undefined) {
      this.bye('a log frame that is not of this protocol', false);
      return;
    }
    // The socket's buffer is used again once this returns.
    const copy = { ...piece, data: Uint8Array.from(piece.data), worker: this.worker.id };
    this.#inTurn(piece.attempt, async () => {
      const { attempt, stream, offset } = copy;
      try {
        const { nextOffset } = await this.#app.coordinator.logs.append(copy);
        this.send({ type: 'log_ack', attempt, stream, next_offset: nextOffset, error: null });
      } catch (error) {
        const told = this.#errorOf(error, 'log');
        this.send({ type: 'log_ack', attempt, stream, next_offset: offset, error: told });
      }
    });
  }

  async #hello(frame: Hello): Promise<void> {
    // One for each link: a daemon that reconnects may have this one before its last one is found dead,
    // and the end of that, told late or by another replica, must not end this.
    const incarnation = `${frame.incarnation}.${randomUUID()}`;
    const reply = await this.#app.coordinator.submit(
      { ...this.#speaker, type: 'worker.hello', hello: { ...frame, incarnation } },
      { connection: this.worker.id },
    );
    if (this.#closed) return;
    clearTimeout(this.#noHello);
    this.incarnation = incarnation;
    const stale = new Set(reply.stale);
    for (const { id, epoch } of frame.attempts) if (!stale.has(id)) this.#held.set(id, epoch);
    const read = await this.#app.reads.findWorker(this.worker.project, this.worker.id);
    this.send({
      type: 'welcome',
      worker: this.worker.id,
      heartbeat_seconds: DEFAULTS.heartbeatSeconds,
      stop: [...stale],
      draining: read?.worker.draining ?? false,
    });
    this.#events.onHello(this);
    for (const it of stopFrames(reply.cancel ?? [], this.#held)) this.send(it);
    await this.assign((reply.claimed ?? []).map(({ attempt }) => attempt));
    for (const it of await missedFrames(this.#app, this.worker.id, this.#held)) this.send(it);
  }

  async #beat(frame: Extract<WorkerFrame, { type: 'heartbeat' }>): Promise<void> {
    const reply = await this.#app.coordinator.submit({
      ...this.#speaker,
      type: 'worker.heartbeat',
      incarnation: this.incarnation,
      beat: { attempts: frame.attempts },
    });
    for (const it of stopFrames(reply.cancel ?? [], this.#held)) this.send(it);
    const stale = [...(reply.stale ?? [])];
    for (const attempt of stale) this.#held.delete(attempt);
    if (stale.length > 0) this.send({ type: 'stale', attempts: stale });
  }

  async #drain(draining: boolean): Promise<void> {
    await this.#app.coordinator.submit({ ...this.#speaker, type: 'worker.drain', draining });
  }

  async #leave(): Promise<void> {
    await this.#app.coordinator.submit({ ...this.#speaker, type: 'worker.leaving' });
  }

  async #counted(frame: CountedFrame): Promise<void> {
    const { seq } = frame;
    try {
      if (isAgentFrame(frame)) {
        const body = await answerAgent(this.#app, this.#speaker, frame);
        this.send({ type: 'ack', seq, error: null, body });
        return;
      }
      const reply = await this.#app.coordinator.submit(commandOf(frame, this.#speaker), {
        connection: this.worker.id,
      });
      if (ending.has(frame.type) && 'attempt' in frame) this.#held.delete(frame.attempt);
      this.send({
        type: 'ack',
        seq,
        error: null,
        body: await answerTo(this.#app, this.worker, frame, reply),
      });
    } catch (error) {
      this.send({ type: 'ack', seq, error: this.#errorOf(error, frame.type), body: null });
    }
  }

  /** Frames without a `seq`: their failure ends the connection, so that the worker begins again. */
  async #guarded(what: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      const told = this.#errorOf(error, what);
      this.bye(`${what}: ${told.detail}`, told.retry);
    }
  }

  #errorOf(error: unknown, what: string) {
    const told = frameErrorOf(error);
    if (told !== undefined) return told;
    this.#app.log.error({ err: error, worker: this.worker.name, frame: what }, 'a frame failed');
    return internalFrameError;
  }
}
