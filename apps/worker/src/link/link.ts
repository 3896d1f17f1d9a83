import {
  AppError,
  DEFAULTS,
  LIMITS,
  LINK_PATH,
  LINK_PROTOCOL,
  encodeLogFrame,
  serverFrame,
  type LogFrame,
  type ServerFrame,
  type WorkerFrame,
} from '@baton/contract';
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Log } from '../log.ts';
import { createCountedFrames, LinkClosed, type Ack, type CountedFrame } from './counted-frames.ts';
import { encodeFrame } from './frame-text.ts';

type Frame<T extends WorkerFrame['type']> = Extract<WorkerFrame, { type: T }>;

/** What a link is opened with. */
export interface LinkSettings {
  readonly url: string;
  /** Asked for at each connect. */
  readonly key: () => string;
  readonly log: Log;
  /** What the worker says of itself; asked for at each connect. */
  readonly hello: () => Omit<Frame<'hello'>, 'type' | 'incarnation'>;
  /** Attempts it holds, for the heartbeat. */
  readonly beat: () => Frame<'heartbeat'>['attempts'];
  readonly onFrame: (frame: ServerFrame) => void;
  /** The control plane does not know the key. Resolves to true when there is another one by now. */
  readonly onRefused: () => Promise<boolean>;
}

/** How the first try to connect went. */
export type FirstTry = 'welcome' | 'refused' | 'unreachable';

/**
 * The outbound connection to the control plane: reconnects with jitter, numbers what matters, and
 * sends again after a reconnect what was not acknowledged.
 */
export interface Link {
  /** Connects, again and again; resolves as soon as it is known how the first try went. */
  start(): Promise<FirstTry>;
  /** Resolves with the answer, however long the control plane is away. Rejects with `LinkClosed` after `stop`. */
  request(frame: CountedFrame): Promise<Ack>;
  /** Sends at once or not at all: for what is said again after a reconnect anyway. */
  say(frame: Frame<'slots'>): void;
  /** Sends log bytes; false when the link is down or full. */
  sendLog(frame: LogFrame): boolean;
  readonly isOpen: boolean;
  /** Closes for good; requests that wait are rejected. */
  stop(): void;
}

const bufferedBytesMax = 4 * 1024 * 1024;
/** No word from the control plane, which answers each ping, for this long: the connection is dead. */
const deafMsMax = 40_000;
const welcomeMsMax = 20_000;
/** Between two tries when the control plane said that it will not have this worker. */
const refusedMs = 30_000;

/** Connects with `start`. */
export function openLink(settings: LinkSettings): Link {
  return new ReconnectingLink(settings);
}

class ReconnectingLink implements Link {
  readonly #settings: LinkSettings;
  readonly #incarnation = randomUUID();
  readonly #frames = createCountedFrames((text) => this.#transmit(text));
  #socket: WebSocket | undefined;
  #isReady = false;
  #isStopped = false;
  /** The control plane said goodbye for good. */
  #isUnwanted = false;
  #failures = 0;
  /** Of the next thing to happen: a connect, a welcome that is late, a beat. */
  #timer: NodeJS.Timeout | undefined;
  #heardAtMs = performance.now();
  #heartbeatMs: number = DEFAULTS.heartbeatSeconds * 1_000;
  #firstTry: (how: FirstTry) => void = () => undefined;

  constructor(settings: LinkSettings) {
    this.#settings = settings;
  }

  get isOpen(): boolean {
    return this.#isReady;
  }

  start(): Promise<FirstTry> {
    return new Promise((resolve) => {
      this.#firstTry = resolve;
      this.#connect();
    });
  }

  request(frame: CountedFrame): Promise<Ack> {
    if (this.#isStopped) return Promise.reject(new LinkClosed('the link is closed'));
    return this.#frames.add(frame);
  }

  say(frame: Frame<'slots'>): void {
    this.#transmit(encodeFrame(frame));
  }

  sendLog(frame: LogFrame): boolean {
    const socket = this.#socket;
    if (!this.#isReady || socket === undefined) return false;
    if (socket.bufferedAmount > bufferedBytesMax) return false;
    socket.send(encodeLogFrame(frame));
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    this.#isReady = false;
    clearTimeout(this.#timer);
    this.#firstTry('unreachable');
    const last = this.#socket;
    last?.close(1000, 'the worker stops');
    // A peer that does not answer the close must not keep this process.
    setTimeout(() => last?.terminate(), 1_000).unref();
    this.#frames.close();
  }

  #connect(): void {
    const { url, key, log } = this.#settings;
    const target = url.replace(/^http/, 'ws').replace(/\/+$/, '') + LINK_PATH;
    const opened = new WebSocket(target, LINK_PROTOCOL, {
      headers: { authorization: `Bearer ${key()}` },
      maxPayload: 64 * LIMITS.frameBytesMax,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    });
    this.#socket = opened;
    this.#isUnwanted = false;
    let status: number | undefined;
    opened.on('unexpected-response', (_request, response) => {
      status = response.statusCode;
      response.resume();
      opened.terminate();
    });
    opened.on('open', () => this.#greet(opened));
    opened.on('message', (data, isBinary) => {
      if (this.#socket !== opened) return;
      this.#heardAtMs = performance.now();
      if (!isBinary) this.#receive((data as Buffer).toString());
    });
    for (const sign of ['ping', 'pong'] as const) {
      opened.on(sign, () => (this.#heardAtMs = performance.now()));
    }
    opened.on('error', (error) => log.debug({ error }, 'the link failed'));
    opened.on('close', (code, reason) => {
      if (this.#socket === opened) this.#closed(status, code, reason.toString());
    });
  }

  #greet(opened: WebSocket): void {
    this.#heardAtMs = performance.now();
    const hello = { type: 'hello', incarnation: this.#incarnation, ...this.#settings.hello() };
    opened.send(encodeFrame(hello));
    this.#timer = setTimeout(() => opened.terminate(), welcomeMsMax);
  }

  #closed(status: number | undefined, code: number, reason: string): void {
    this.#socket = undefined;
    clearTimeout(this.#timer);
    if (this.#isReady) {
      this.#settings.log.warn({ code, reason }, 'the link to the control plane is down');
    }
    this.#isReady = false;
    if (this.#isStopped) return;
    if (status === 401 || status === 403) {
      void this.#refused(status);
      return;
    }
    this.#firstTry('unreachable');
    this.#failures += 1;
    this.#connectIn(this.#isUnwanted ? jitter(refusedMs) : reconnectMs(this.#failures));
  }

  async #refused(status: number): Promise<void> {
    const { log, onRefused } = this.#settings;
    const hasOther = await onRefused().catch((error: unknown) => {
      log.error({ error }, 'the worker could not join again');
      return false;
    });
    if (this.#isStopped) return;
    if (!hasOther) {
      log.error(
        { status },
        'the control plane does not know this worker: it was removed, or its key replaced',
      );
      this.#firstTry('refused');
    }
    this.#connectIn(hasOther ? 0 : jitter(refusedMs));
  }

  #connectIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  #receive(text: string): void {
    const { log, onFrame } = this.#settings;
    let frame: ServerFrame;
    try {
      frame = serverFrame.parse(JSON.parse(text));
    } catch (error) {
      log.warn({ error }, 'a frame of the control plane was not understood');
      return;
    }
    if (frame.type === 'ack') {
      this.#frames.acknowledge(frame);
      return;
    }
    if (frame.type === 'welcome') this.#welcomed(frame.heartbeat_seconds);
    if (frame.type === 'bye' && !frame.reconnect) this.#isUnwanted = true;
    try {
      onFrame(frame);
    } catch (error) {
      log.error({ error, type: frame.type }, 'a frame of the control plane could not be acted on');
    }
  }

  #welcomed(heartbeatSeconds: number): void {
    this.#failures = 0;
    this.#isReady = true;
    this.#heartbeatMs = heartbeatSeconds * 1_000;
    this.#scheduleBeat();
    this.#frames.sendAll();
    this.#firstTry('welcome');
  }

  #transmit(text: string): void {
    if (this.#isReady) this.#socket?.send(text);
  }

  #scheduleBeat(): void {
    clearTimeout(this.#timer);
    const spread = 1 + (Math.random() * 2 - 1) * DEFAULTS.heartbeatJitter;
    this.#timer = setTimeout(() => this.#beat(), this.#heartbeatMs * spread);
  }

  #beat(): void {
    if (performance.now() - this.#heardAtMs > deafMsMax) {
      this.#socket?.terminate();
      return;
    }
    this.#transmit(encodeBeat(this.#settings.beat()));
    // An idle control plane says nothing by itself: its answer to this is the sign of life.
    this.#socket?.ping();
    this.#scheduleBeat();
  }
}

/** Half fixed, half random: a fleet does not come back in one instant. */
function reconnectMs(failures: number): number {
  if (failures === 1) return 100 + Math.random() * 400;
  const ceiling = DEFAULTS.reconnectSecondsMin * 2 ** Math.min(failures - 2, 6);
  return jitter(Math.min(DEFAULTS.reconnectSecondsMax, ceiling) * 1_000);
}

function jitter(ms: number): number {
  return ms * (0.5 + Math.random() * 0.5);
}

/** All attempts have to be in one beat; what they say beside is left out when it would not fit. */
function encodeBeat(attempts: Frame<'heartbeat'>['attempts']): string {
  const text = encodeFrame({ type: 'heartbeat', attempts });
  if (Buffer.byteLength(text) <= LIMITS.frameBytesMax) return text;
  const bare = attempts.map(({ id, epoch }) => ({ id, epoch }));
  return JSON.stringify({ type: 'heartbeat', attempts: bare });
}

/** What a program is told when its key is worth nothing. */
export function keyRefused(): AppError {
  return new AppError(
    'unauthenticated',
    'The control plane does not know this worker any more: join again with a new token (`baton worker token`).',
  );
}
