import type { HintLine, HintListener } from '@baton/store';
import { createListeners, type Listeners } from '../listeners.ts';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import type { Service } from '../service.ts';
import { decodeHint, encodeHint, namesMax, type Hint } from './hint-text.ts';

/** Between two hints at least: what comes meanwhile goes with the next. */
const gapMs = 10;
/** The same, of output: it comes in many small pieces, and nobody waits for it. */
const outputGapMs = 100;
/** Says that this replica is there, and shows whether the line still carries anything. */
const beatMs = 5_000;
/** Another replica that was not heard of for this long is gone. */
const peerMsMax = 3 * beatMs + 1_000;
/** Credentials that wait for a line; more than that are found out by those who use them. */
const revokedMax = 10_000;
const reconnectMsMin = 100;
const reconnectMsMax = 5_000;

/**
 * Tells other replicas early what they would find out by looking, and hears it from them. Only time rests
 * on it: hints may be lost, come twice or late. While nobody else is there, a commit costs nothing here.
 */
export interface Hints extends Service {
  /** The feed goes as far as this by a commit of this replica. */
  reached(pos: number): void;
  /** An attempt wrote output here. */
  wrote(attempt: string): void;
  /** A credential was taken back here. */
  revoked(principal: string): void;
  /** The line carries what is said: looking now and then is enough. */
  readonly isHealthy: boolean;
  /** Others are there. */
  readonly hasPeers: boolean;
  readonly heard: Listeners<Hint>['add'];
  /** Told when `isHealthy` may have changed. */
  readonly turned: Listeners<boolean>['add'];
}

interface HintPorts {
  /** Absent: nobody else can be there. */
  readonly openHints: ((listener: HintListener) => Promise<HintLine>) | undefined;
  readonly runtime: Pick<Runtime, 'after' | 'monotonicMs' | 'newId'>;
  readonly log: Log;
  /** Fingerprint of the installation; those who share a database share it too. */
  readonly instance?: string | undefined;
}

/** Does nothing before `start`. */
export function createHints(ports: HintPorts): Hints {
  return new LineHints(ports);
}

class LineHints implements Hints {
  readonly name = 'hints';
  readonly heard: Hints['heard'];
  readonly turned: Hints['turned'];
  readonly #ports: HintPorts;
  /** Of this life of the replica; made when it first opens a line. */
  #self = '';
  readonly #heard: Listeners<Hint>;
  readonly #turned: Listeners<boolean>;
  /** When others were last heard of. */
  readonly #peers = new Map<string, number>();
  #line: HintLine | undefined;
  #opening: Promise<void> | undefined;
  #isStopped = true;
  #failures = 0;
  /** The last thing that was said on this line came back. */
  #isHealthy = false;
  #echoAtMs = -Infinity;
  #beatAtMs = -Infinity;
  #sentAtMs = -Infinity;
  #pos = 0;
  #isHello = false;
  #logs = new Set<string>();
  #revoked = new Set<string>();
  #isSending = false;
  /** More was to be said while something was being sent. */
  #isMore = false;
  #dueAtMs = Infinity;
  #callOffBeat: (() => void) | undefined;
  #callOffSend: (() => void) | undefined;

  constructor(ports: HintPorts) {
    this.#ports = ports;
    this.#heard = createListeners(ports.log);
    this.#turned = createListeners(ports.log);
    this.heard = this.#heard.add;
    this.turned = this.#turned.add;
  }

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  get hasPeers(): boolean {
    return this.#peers.size > 0;
  }

  start(): Promise<void> {
    this.#isStopped = false;
    this.#open();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#callOffBeat?.();
    this.#callOffSend?.();
    await this.#opening;
    this.#line?.close();
    this.#line = undefined;
  }

  reached(pos: number): void {
    this.#pos = Math.max(this.#pos, pos);
    if (this.hasPeers) this.#sendSoon();
  }

  wrote(attempt: string): void {
    if (!this.hasPeers) return;
    this.#logs.add(attempt);
    this.#sendSoon(outputGapMs);
  }

  revoked(principal: string): void {
    // Nobody there is only known as long as the line carries anything.
    if (!this.hasPeers && this.#isHealthy) return;
    if (this.#revoked.size < revokedMax) this.#revoked.add(principal);
    this.#sendSoon();
  }

  #open(): void {
    const { openHints } = this.#ports;
    if (openHints === undefined || this.#isStopped) return;
    this.#self ||= this.#ports.runtime.newId('rep');
    let isLost = false;
    const onLost = (): void => {
      isLost = true;
      this.#lost();
    };
    this.#opening = openHints({ onHint: (text) => this.#hear(text), onLost })
      .then((line) => {
        if (this.#isStopped) return line.close();
        if (isLost) return undefined;
        this.#line = line;
        // Who comes, or comes back, may have been missed: the others look at the feed and answer.
        this.#isHello = true;
        this.#beat();
        return undefined;
      })
      .catch((error: unknown) => {
        this.#ports.log.debug({ error }, 'the line for hints could not be opened');
        this.#lost();
      })
      .finally(() => {
        this.#opening = undefined;
      });
  }

  #lost(): void {
    this.#line = undefined;
    this.#isSending = false;
    this.#callOffBeat?.();
    this.#turn(false);
    if (this.#isStopped) return;
    const delayMs = Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#callOffBeat = this.#ports.runtime.after(delayMs, () => this.#open());
  }

  /** Gives up a line that may look open for long after it has died. */
  #cut(): void {
    this.#line?.close();
    this.#lost();
  }

  #beat(): void {
    const nowMs = this.#ports.runtime.monotonicMs();
    const isDeaf = this.#beatAtMs > this.#echoAtMs;
    if (this.#isHealthy && isDeaf) {
      this.#ports.log.warn({}, 'the line for hints carries nothing; it is opened again');
      this.#cut();
      return;
    }
    for (const [peer, atMs] of this.#peers) {
      if (nowMs - atMs > peerMsMax) this.#peers.delete(peer);
    }
    this.#beatAtMs = nowMs;
    this.#callOffBeat = this.#ports.runtime.after(beatMs, () => this.#beat());
    this.#sendSoon();
  }

  #sendSoon(afterMs = gapMs): void {
    const { runtime } = this.#ports;
    const nowMs = runtime.monotonicMs();
    const dueAtMs = Math.max(nowMs, this.#sentAtMs + afterMs);
    if (dueAtMs >= this.#dueAtMs) return;
    this.#callOffSend?.();
    this.#dueAtMs = dueAtMs;
    this.#callOffSend = runtime.after(dueAtMs - nowMs, () => {
      this.#dueAtMs = Infinity;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    const line = this.#line;
    // What cannot be said now goes with the hello of the next line, or follows what is being sent.
    if (line === undefined || this.#isSending) {
      this.#isMore = true;
      return;
    }
    const sent: Hint = {
      from: this.#self,
      ...(this.#ports.instance === undefined ? {} : { instance: this.#ports.instance }),
      pos: this.#pos,
      ...(this.#isHello ? { hello: true as const } : {}),
      ...(this.#logs.size > 0 ? { logs: takeSome(this.#logs) } : {}),
      ...(this.#revoked.size > 0 ? { revoked: takeSome(this.#revoked) } : {}),
    };
    this.#isHello = false;
    this.#isMore = this.#logs.size > 0 || this.#revoked.size > 0;
    this.#isSending = true;
    this.#sentAtMs = this.#ports.runtime.monotonicMs();
    try {
      await line.send(encodeHint(sent));
    } catch (error) {
      this.#ports.log.debug({ error }, 'a hint was not sent');
      if (this.#line === line) this.#cut();
      return;
    }
    if (this.#line !== line) return;
    this.#isSending = false;
    if (this.#isMore) this.#sendSoon();
  }

  #hear(text: string): void {
    const hint = decodeHint(text);
    if (hint === undefined) return;
    const nowMs = this.#ports.runtime.monotonicMs();
    if (hint.from === this.#self) {
      this.#echoAtMs = nowMs;
      this.#failures = 0;
      this.#turn(true);
      return;
    }
    const isNew = !this.#peers.has(hint.from);
    this.#peers.set(hint.from, nowMs);
    if (isNew) this.#compare(hint);
    if (isNew || hint.hello === true) this.#sendSoon();
    this.#heard.tell(hint);
  }

  /** Who has another secret refuses the tokens of our agents, and nobody would know why. */
  #compare({ from, instance }: Hint): void {
    const own = this.#ports.instance;
    if (own === undefined || instance === undefined || own === instance) return;
    this.#ports.log.error(
      { peer: from },
      'another control plane on this database has another instance.secret: it refuses the tokens of our agents, and we refuse those of its; give all of them the same data directory',
    );
  }

  #turn(isHealthy: boolean): void {
    if (this.#isHealthy === isHealthy) return;
    this.#isHealthy = isHealthy;
    this.#turned.tell(isHealthy);
  }
}

/** Takes a bounded number of names out of a set. */
function takeSome(names: Set<string>): string[] {
  const some = [...names].slice(0, namesMax);
  for (const name of some) names.delete(name);
  return some;
}
