import { LIMITS, workerFrame, type ServerFrame, type WorkerFrame } from '@baton/contract';
import { encodeFrame, shapeFault } from './frame-text.ts';

/** A frame that is counted and acknowledged, before it has its number. */
type Distribute<F> = F extends { readonly seq: number } ? Omit<F, 'seq'> : never;
export type CountedFrame = Distribute<WorkerFrame>;

type AckFrame = Extract<ServerFrame, { type: 'ack' }>;
/** What the control plane answered to a counted frame. */
export type Ack = Pick<AckFrame, 'error' | 'body'>;

/** Somebody waits for an answer and the link was closed for good. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed';
}

/**
 * Frames that were not acknowledged yet. Those of one attempt go out in the order in which they came,
 * also when one of them has to be sent again; those of others do not wait for them.
 */
export interface CountedFrames {
  /** Resolves with the answer. A frame that can never be taken is refused here and not sent. */
  add(frame: CountedFrame): Promise<Ack>;
  acknowledge(ack: AckFrame): void;
  /** Sends everything again: to be called on each new connection. */
  sendAll(): void;
  /** Rejects all that wait, with `LinkClosed`. */
  close(): void;
}

/** A refusal that says "again": first after this, then twice as long each time. */
const retryMsMin = 1_000;
const retryMsMax = 15_000;
/** A fault of the control plane that stays is an answer too, after this many tries. */
const internalTriesMax = 8;

interface Waiting {
  readonly seq: number;
  readonly lane: string;
  readonly text: string;
  tries: number;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: Error) => void;
}

/** `send` drops what it is given while there is no connection; `sendAll` makes up for it. */
export function createCountedFrames(send: (text: string) => void): CountedFrames {
  const waiting = new Map<number, Waiting>();
  /** Lanes that pause before they are sent again, with their timers. */
  const pauses = new Map<string, NodeJS.Timeout>();
  let seq = 0;

  function sendLane(lane: string): void {
    for (const it of waiting.values()) if (it.lane === lane) send(it.text);
  }

  function pause(it: Waiting): void {
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(it.tries - 1, 8));
    const timer = setTimeout(
      () => {
        pauses.delete(it.lane);
        sendLane(it.lane);
      },
      delayMs * (0.75 + Math.random() * 0.5),
    );
    pauses.set(it.lane, timer);
  }

  return {
    add(frame) {
      seq += 1;
      const numbered = { ...frame, seq };
      const text = encode(numbered);
      if (typeof text !== 'string') return Promise.resolve({ error: text, body: null });
      const lane = 'attempt' in frame ? frame.attempt : frame.run;
      return new Promise((resolve, reject) => {
        waiting.set(numbered.seq, { seq: numbered.seq, lane, text, tries: 0, resolve, reject });
        if (!pauses.has(lane)) send(text);
      });
    },
    acknowledge(ack) {
      const it = waiting.get(ack.seq);
      if (it === undefined) return;
      it.tries += 1;
      const isFinal =
        ack.error?.retry !== true ||
        (ack.error.code === 'internal' && it.tries >= internalTriesMax);
      if (!isFinal) {
        if (!pauses.has(it.lane)) pause(it);
        return;
      }
      waiting.delete(ack.seq);
      it.resolve({ error: ack.error, body: ack.body });
    },
    sendAll() {
      for (const timer of pauses.values()) clearTimeout(timer);
      pauses.clear();
      for (const it of waiting.values()) send(it.text);
    },
    close() {
      for (const timer of pauses.values()) clearTimeout(timer);
      pauses.clear();
      for (const it of waiting.values()) it.reject(new LinkClosed('the link is closed'));
      waiting.clear();
    },
  };
}

/** One bad frame would end the connection, again on each new one: it is refused before it is sent. */
function encode(frame: object): string | NonNullable<Ack['error']> {
  const shape = shapeFault(frame);
  if (shape !== undefined) {
    return { code: 'limit_exceeded', detail: shape, retry: false, facts: {} };
  }
  const text = encodeFrame(frame);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.frameBytesMax) {
    return {
      code: 'limit_exceeded',
      detail: `This takes ${bytes} bytes, at most ${LIMITS.frameBytesMax} are taken; add it as an artifact and hand on its name.`,
      retry: false,
      facts: { bytes },
    };
  }
  const parsed = workerFrame.safeParse(frame);
  if (parsed.success) return text;
  const [issue] = parsed.error.issues;
  const where = issue?.path.filter((part) => part !== 'body').join('.') ?? '';
  return {
    code: 'bad_request',
    detail: `${where === '' ? 'The request' : where}: ${issue?.message ?? 'not understood'}`,
    retry: false,
    facts: {},
  };
}
