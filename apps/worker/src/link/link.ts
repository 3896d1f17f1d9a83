import {
  DEFAULTS,
  LINK_PATH,
  LINK_PROTOCOL,
  LIMITS,
  encodeLogFrame,
  serverFrame,
  type LogFrame,
  type ServerFrame,
  type WorkerFrame,
} from '@baton/contract';
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Log } from '../log.ts';

/** A frame that is counted and acknowledged, before it has its number. */
type Distribute<F> = F extends { readonly seq: number } ? Omit<F, 'seq'> : never;
export type CountedFrame = Distribute<WorkerFrame>;
type Hello = Extract<WorkerFrame, { type: 'hello' }>;

/** What the control plane answered to a counted frame. */
export type Ack = Pick<Extract<ServerFrame, { type: 'ack' }>, 'error' | 'body'>;

export interface LinkSettings {
  readonly url: string;
  readonly key: string;
  readonly log: Log;
  /** What the worker says of itself; asked for at each connect. */
  readonly hello: () => Omit<Hello, 'type' | 'incarnation'>;
  /** Attempts it holds, for the heartbeat. */
  readonly beat: () => Extract<WorkerFrame, { type: 'heartbeat' }>['attempts'];
  readonly onFrame: (frame: ServerFrame) => void;
}

/**
 * The outbound connection to the control plane: reconnects with jitter, numbers what matters, and
 * sends again after a reconnect what was not acknowledged.
 */
export interface Link {
  start(): void;
  /** Resolves with the answer, however long the control plane is away. Rejects only after `stop`. */
  request(frame: CountedFrame): Promise<Ack>;
  /** Sends at once or not at all: for what will be said again anyway. */
  say(frame: Extract<WorkerFrame, { type: 'slots' | 'drain' }>): void;
  /** Sends log bytes; false when the link is down or full, then try again after `onReady` or an ack. */
  sendLog(frame: LogFrame): boolean;
  readonly isOpen: boolean;
  /** Closes for good; requests that wait are rejected. */
  stop(): void;
}

const bufferedBytesMax = 4 * 1024 * 1024;
/** No word from the control plane for this long: the connection is taken for dead. */
const deafMsMax = 30_000;

interface Waiting {
  readonly frame: CountedFrame & { readonly seq: number };
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: Error) => void;
}

export function openLink(settings: LinkSettings): Link {
  const incarnation = randomUUID();
  const waiting = new Map<number, Waiting>();
  let seq = 0;
  let socket: WebSocket | undefined;
  let isReady = false;
  let isStopped = false;
  let failures = 0;
  let reconnect: NodeJS.Timeout | undefined;
  let beat: NodeJS.Timeout | undefined;
  let heardAtMs = performance.now();
  let heartbeatMs: number = DEFAULTS.heartbeatSeconds * 1_000;

  function connect(): void {
    const target = settings.url.replace(/^http/, 'ws') + LINK_PATH;
    const opened = new WebSocket(target, LINK_PROTOCOL, {
      headers: { authorization: `Bearer ${settings.key}` },
      maxPayload: 64 * LIMITS.frameBytesMax,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    });
    socket = opened;
    opened.on('open', () => {
      heardAtMs = performance.now();
      opened.send(JSON.stringify({ type: 'hello', incarnation, ...settings.hello() }));
    });
    opened.on('message', (data, isBinary) => {
      heardAtMs = performance.now();
      if (!isBinary) receive(String(data));
    });
    opened.on('ping', () => {
      heardAtMs = performance.now();
    });
    opened.on('error', (error) => settings.log.debug({ error }, 'the link failed'));
    opened.on('close', (code, reason) => closed(opened, code, String(reason)));
  }

  function closed(which: WebSocket, code: number, reason: string): void {
    if (socket !== which) return;
    socket = undefined;
    if (isReady) settings.log.warn({ code, reason }, 'the link to the control plane is down');
    isReady = false;
    clearTimeout(beat);
    if (isStopped) return;
    failures += 1;
    const ceilingMs = Math.min(
      DEFAULTS.reconnectSecondsMax,
      DEFAULTS.reconnectSecondsMin * 2 ** Math.min(failures - 1, 6),
    );
    // Half fixed, half random: a fleet does not come back in one instant.
    const delayMs = failures === 1 ? 100 + Math.random() * 400 : ceilingMs * (500 + Math.random() * 500);
    reconnect = setTimeout(connect, delayMs);
  }

  function receive(text: string): void {
    let frame: ServerFrame;
    try {
      frame = serverFrame.parse(JSON.parse(text));
    } catch (error) {
      settings.log.warn({ error }, 'a frame of the control plane was not understood');
      return;
    }
    if (frame.type === 'ack') acknowledge(frame);
    if (frame.type === 'welcome') welcomed(frame.heartbeat_seconds);
    settings.onFrame(frame);
  }

  function welcomed(heartbeatSeconds: number): void {
    failures = 0;
    isReady = true;
    heartbeatMs = heartbeatSeconds * 1_000;
    scheduleBeat();
    for (const it of waiting.values()) socket?.send(JSON.stringify(it.frame));
  }

  function acknowledge(ack: Extract<ServerFrame, { type: 'ack' }>): void {
    const it = waiting.get(ack.seq);
    if (it === undefined) return;
    if (ack.error?.retry === true) {
      setTimeout(() => transmit(it.frame), 1_000 + Math.random() * 1_000);
      return;
    }
    waiting.delete(ack.seq);
    it.resolve({ error: ack.error, body: ack.body });
  }

  function transmit(frame: object): void {
    if (isReady && socket !== undefined) socket.send(JSON.stringify(frame));
  }

  function scheduleBeat(): void {
    clearTimeout(beat);
    const spread = 1 + (Math.random() * 2 - 1) * DEFAULTS.heartbeatJitter;
    beat = setTimeout(() => {
      if (performance.now() - heardAtMs > deafMsMax + heartbeatMs) {
        socket?.terminate();
        return;
      }
      transmit({ type: 'heartbeat', attempts: settings.beat() });
      scheduleBeat();
    }, heartbeatMs * spread);
  }

  return {
    start: connect,
    request(frame) {
      if (isStopped) return Promise.reject(new Error('the link is closed'));
      seq += 1;
      const numbered = { ...frame, seq };
      return new Promise((resolve, reject) => {
        waiting.set(numbered.seq, { frame: numbered, resolve, reject });
        transmit(numbered);
      });
    },
    say: transmit,
    sendLog(frame) {
      if (!isReady || socket === undefined || socket.bufferedAmount > bufferedBytesMax) return false;
      socket.send(encodeLogFrame(frame));
      return true;
    },
    get isOpen() {
      return isReady;
    },
    stop() {
      isStopped = true;
      clearTimeout(reconnect);
      clearTimeout(beat);
      socket?.close(1000, 'the worker stops');
      for (const it of waiting.values()) it.reject(new Error('the link is closed'));
      waiting.clear();
    },
  };
}
