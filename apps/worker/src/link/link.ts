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

type Frame<T extends WorkerFrame['type']> = Extract<WorkerFrame, { type: T }>;

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

export function openLink(settings: LinkSettings): Link {
  const { log } = settings;
  const incarnation = randomUUID();
  const frames = createCountedFrames(transmit);
  let socket: WebSocket | undefined;
  let isReady = false;
  let isStopped = false;
  let isUnwanted = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let heardAtMs = performance.now();
  let heartbeatMs: number = DEFAULTS.heartbeatSeconds * 1_000;
  let firstTry: (how: FirstTry) => void = () => undefined;

  function connect(): void {
    const target = settings.url.replace(/^http/, 'ws').replace(/\/+$/, '') + LINK_PATH;
    const opened = new WebSocket(target, LINK_PROTOCOL, {
      headers: { authorization: `Bearer ${settings.key()}` },
      maxPayload: 64 * LIMITS.frameBytesMax,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    });
    socket = opened;
    isUnwanted = false;
    let status: number | undefined;
    opened.on('unexpected-response', (_request, response) => {
      status = response.statusCode;
      response.resume();
      opened.terminate();
    });
    opened.on('open', () => {
      heardAtMs = performance.now();
      opened.send(JSON.stringify({ type: 'hello', incarnation, ...settings.hello() }));
      timer = setTimeout(() => opened.terminate(), welcomeMsMax);
    });
    opened.on('message', (data, isBinary) => {
      if (socket !== opened) return;
      heardAtMs = performance.now();
      if (!isBinary) receive((data as Buffer).toString());
    });
    for (const sign of ['ping', 'pong'] as const) {
      opened.on(sign, () => (heardAtMs = performance.now()));
    }
    opened.on('error', (error) => log.debug({ error }, 'the link failed'));
    opened.on('close', (code, reason) => {
      if (socket === opened) closed(status, code, String(reason));
    });
  }

  function closed(status: number | undefined, code: number, reason: string): void {
    socket = undefined;
    clearTimeout(timer);
    if (isReady) log.warn({ code, reason }, 'the link to the control plane is down');
    isReady = false;
    if (isStopped) return;
    if (status === 401 || status === 403) {
      void refused(status);
      return;
    }
    firstTry('unreachable');
    failures += 1;
    timer = setTimeout(connect, isUnwanted ? jitter(refusedMs) : reconnectMs(failures));
  }

  async function refused(status: number): Promise<void> {
    const hasOther = await settings.onRefused().catch((error: unknown) => {
      log.error({ error }, 'the worker could not join again');
      return false;
    });
    if (isStopped) return;
    if (!hasOther) {
      log.error(
        { status },
        'the control plane does not know this worker: it was removed, or its key replaced',
      );
      firstTry('refused');
    }
    if (isStopped) return;
    timer = setTimeout(connect, hasOther ? 0 : jitter(refusedMs));
  }

  function receive(text: string): void {
    let frame: ServerFrame;
    try {
      frame = serverFrame.parse(JSON.parse(text));
    } catch (error) {
      log.warn({ error }, 'a frame of the control plane was not understood');
      return;
    }
    if (frame.type === 'ack') {
      frames.acknowledge(frame);
      return;
    }
    if (frame.type === 'welcome') welcomed(frame.heartbeat_seconds);
    if (frame.type === 'bye' && !frame.reconnect) isUnwanted = true;
    try {
      settings.onFrame(frame);
    } catch (error) {
      log.error({ error, type: frame.type }, 'a frame of the control plane could not be acted on');
    }
  }

  function welcomed(heartbeatSeconds: number): void {
    failures = 0;
    isReady = true;
    heartbeatMs = heartbeatSeconds * 1_000;
    scheduleBeat();
    frames.sendAll();
    firstTry('welcome');
  }

  function transmit(text: string): void {
    if (isReady && socket !== undefined) socket.send(text);
  }

  function scheduleBeat(): void {
    clearTimeout(timer);
    const spread = 1 + (Math.random() * 2 - 1) * DEFAULTS.heartbeatJitter;
    timer = setTimeout(() => {
      if (performance.now() - heardAtMs > deafMsMax) {
        socket?.terminate();
        return;
      }
      transmit(encodeBeat(settings.beat()));
      // An idle control plane says nothing by itself: its answer to this is the sign of life.
      socket?.ping();
      scheduleBeat();
    }, heartbeatMs * spread);
  }

  return {
    start() {
      return new Promise((resolve) => {
        firstTry = resolve;
        connect();
      });
    },
    request(frame) {
      return isStopped ? Promise.reject(new LinkClosed('the link is closed')) : frames.add(frame);
    },
    say: (frame) => transmit(JSON.stringify(frame)),
    sendLog(frame) {
      if (!isReady || socket === undefined || socket.bufferedAmount > bufferedBytesMax)
        return false;
      socket.send(encodeLogFrame(frame));
      return true;
    },
    get isOpen() {
      return isReady;
    },
    stop() {
      isStopped = true;
      isReady = false;
      clearTimeout(timer);
      firstTry('unreachable');
      socket?.close(1000, 'the worker stops');
      // A peer that does not answer the close must not keep this process.
      const last = socket;
      setTimeout(() => last?.terminate(), 1_000).unref();
      frames.close();
    },
  };
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
  const text = JSON.stringify({ type: 'heartbeat', attempts });
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
