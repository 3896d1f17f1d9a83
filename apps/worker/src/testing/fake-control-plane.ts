/**
 * A control plane for tests of the worker: speaks the link with every frame checked by the schemas, in both
 * directions, keeps what it is told, and can be cut, held back and made to refuse. It decides nothing.
 */
import {
  LINK_PATH,
  LINK_PROTOCOL,
  decodeLogFrame,
  serverFrame,
  taskSpec,
  workerFrame,
  workerRegister,
  type Assignment,
  type Checkpoint,
  type Json,
  type ServerFrame,
  type TaskSpecInput,
  type WorkerFrame,
} from '@baton/contract';
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

type Counted = Extract<WorkerFrame, { seq: number }>;
export type Told<T extends WorkerFrame['type']> = Extract<WorkerFrame, { type: T }>;
type Ack = Extract<ServerFrame, { type: 'ack' }>;
export type FrameError = NonNullable<Ack['error']>;

/** What is to be answered to a counted frame; `silence` answers nothing, undefined is a plain yes. */
export type Answer = { readonly error: FrameError } | 'silence' | undefined;

export interface StoredArtifact {
  readonly id: string;
  readonly attempt: string;
  readonly name: string;
  readonly kind: string;
  readonly sha256: string;
  readonly meta: Record<string, Json>;
  content: Buffer | undefined;
}

interface KnownAttempt {
  assignment: Assignment;
  status: 'claimed' | 'running' | 'ended';
  readonly logs: Map<string, Buffer[]>;
  readonly bytes: Map<string, number>;
}

/** For what never comes; a busy machine takes its time. */
const waitMsMax = 60_000;

export class FakeControlPlane {
  readonly url: string;
  /** Every frame, in the order in which it came, again when it was sent again. */
  readonly frames: WorkerFrame[] = [];
  readonly artifacts: StoredArtifact[] = [];
  readonly checkpoints = new Map<string, Checkpoint>();
  /** Beats of supervisors, by attempt. */
  readonly leaseBeats: string[] = [];
  /** Frames that broke the protocol; must stay empty. */
  readonly faults: string[] = [];
  /** Bytes of log that came, stored or not. */
  logBytesReceived = 0;
  connections = 0;
  /** Asked for each counted frame that is not handled otherwise. */
  answer: (frame: Counted) => Answer = () => undefined;
  /** Asked before a piece of log is stored; false drops the connection in its place. */
  mayStore: () => boolean = () => true;
  /** False: uploads are answered with 503. */
  takesUploads = true;
  /** Keys of workers that may connect. */
  readonly keys = new Set<string>();
  isDown = false;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets: WebSocketServer;
  readonly #attempts = new Map<string, KnownAttempt>();
  readonly #waiting = new Set<() => void>();
  #socket: WebSocket | undefined;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: 256 * 1024,
      handleProtocols: () => LINK_PROTOCOL,
    });
    server.on('upgrade', (request, socket, head) => {
      const key = request.headers.authorization?.replace('Bearer ', '') ?? '';
      if (this.isDown || request.url !== LINK_PATH) socket.destroy();
      else if (!this.keys.has(key)) socket.end('HTTP/1.1 401 Refused\r\nconnection: close\r\n\r\n');
      else this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#serve(opened));
    });
  }

  static async start(): Promise<FakeControlPlane> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const plane = new FakeControlPlane(server);
    server.on('request', (request, response) => {
      plane.#call(request).then(
        ({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
        },
        (error: unknown) => {
          plane.faults.push(String(error));
          response.writeHead(500).end();
        },
      );
    });
    return plane;
  }

  /** @throws when somebody broke the protocol */
  async stop(): Promise<void> {
    this.cut();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.faults.length > 0) throw new Error(`broken protocol: ${this.faults.join('; ')}`);
  }

  /** An assignment that the worker gets now, or at its next hello. */
  assign(spec: TaskSpecInput, more: Partial<Assignment> = {}): Assignment {
    const id = `att_${randomUUID().slice(0, 12).replaceAll('-', '')}`;
    const full = taskSpec.parse(spec);
    const assignment: Assignment = {
      attempt: { id, epoch: 7, number: 1, generation: 1 },
      token: `bata_${id}`,
      project: 'prj_test',
      run: { id: `run_${id.slice(4)}`, goal: 'A test', input: {}, labels: {} },
      task: {
        id: `task_${id.slice(4)}`,
        key: 'main',
        title: 'Main',
        spec: full,
        engine: full.needs.engine ?? 'shell',
      },
      inputs: {},
      upstream: [],
      bases: {},
      notes: [],
      last_failure: null,
      saved: null,
      feedback: null,
      conversation: null,
      answer: null,
      continue: null,
      plan: null,
      decisions: [],
      started: false,
      lease_seconds: 90,
      heartbeat_seconds: 10,
      ...more,
    };
    const known: KnownAttempt = {
      assignment,
      status: 'claimed',
      logs: new Map(),
      bytes: new Map(),
    };
    this.#attempts.set(assignment.attempt.id, known);
    this.send({ type: 'assign', assignment });
    return assignment;
  }

  send(frame: ServerFrame): void {
    this.#socket?.send(JSON.stringify(serverFrame.parse(frame)));
  }

  /** Drops the connection without a word. */
  cut(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** What the task of an attempt is from now on; nobody is told. */
  change(attempt: string, task: Assignment['task']): void {
    const known = this.#attempts.get(attempt);
    if (known !== undefined) known.assignment = { ...known.assignment, task };
  }

  log(attempt: string, stream: string): Buffer {
    return Buffer.concat(this.#attempts.get(attempt)?.logs.get(stream) ?? []);
  }

  told<T extends WorkerFrame['type']>(type: T, attempt?: string): Told<T>[] {
    return this.frames.filter(
      (it): it is Told<T> =>
        it.type === type && (attempt === undefined || !('attempt' in it) || it.attempt === attempt),
    );
  }

  /** Resolves with what `look` finds, looked at again whenever something comes. */
  async until<Found>(look: () => Found | undefined | false, what: string): Promise<Found> {
    const late = performance.now() + waitMsMax;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > late) {
        const seen = this.frames.map((it) => it.type).join(' ');
        throw new Error(
          `waited in vain for ${what}; heard: ${seen.slice(-2_000)}; faults: ${this.faults.join('; ')}`,
        );
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, 50);
        this.#waiting.add(done);
      });
    }
  }

  /** Files of an attempt, by kind. */
  artifactsOf(attempt: string): ReadonlyMap<string, StoredArtifact> {
    const own = this.artifacts.filter((it) => it.attempt === attempt);
    return new Map(own.map((it) => [it.kind, it]));
  }

  async untilTold<T extends 'complete' | 'fail' | 'release' | 'started' | 'checkpoint_open'>(
    type: T,
    attempt: string,
  ): Promise<Told<T>> {
    return this.until(() => this.told(type, attempt).at(-1), `${type} of ${attempt}`);
  }

  /** Decides a checkpoint; the worker hears of it if it is connected. */
  resolve(id: string, option: string): void {
    const open = this.checkpoints.get(id);
    if (open === undefined || open.attempt === null) throw new Error(`no checkpoint ${id}`);
    const at = new Date().toISOString();
    const resolution = { option, reason: null, by: 'someone', via: 'api', at };
    const checkpoint: Checkpoint = { ...open, status: 'resolved', resolution, closed_at: at };
    this.checkpoints.set(id, checkpoint);
    this.send({ type: 'checkpoint_resolved', attempt: open.attempt, checkpoint });
  }

  #serve(socket: WebSocket): void {
    this.#socket?.terminate();
    this.#socket = undefined;
    socket.on('message', (data, isBinary) => {
      // What was read before a cut, and is only handed on after it, never came.
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary) this.#takeLog(socket, data as Buffer);
      else this.#takeFrame(socket, (data as Buffer).toString());
      this.#news();
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#news();
    });
  }

  #takeFrame(socket: WebSocket, text: string): void {
    const parsed = workerFrame.safeParse(JSON.parse(text));
    if (!parsed.success) {
      this.faults.push(`${text.slice(0, 200)}: ${parsed.error.message}`);
      socket.terminate();
      return;
    }
    const frame = parsed.data;
    this.frames.push(frame);
    if (frame.type === 'hello') {
      this.#hello(socket, frame);
      return;
    }
    if (this.#socket !== socket) {
      this.faults.push(`${frame.type} before the welcome`);
      return;
    }
    if ('seq' in frame) this.#acknowledge(frame);
  }

  #hello(socket: WebSocket, hello: Told<'hello'>): void {
    this.#socket = socket;
    this.connections += 1;
    const known = new Set(hello.attempts.map((it) => it.id));
    const isEnded = (id: string): boolean =>
      this.#attempts.get(id)?.status !== 'claimed' && this.#attempts.get(id)?.status !== 'running';
    const stop = hello.attempts.filter((it) => !it.ended && isEnded(it.id)).map((it) => it.id);
    this.send({ type: 'welcome', worker: 'wrk_test', heartbeat_seconds: 1, stop, draining: false });
    for (const { assignment, status } of this.#attempts.values()) {
      if (status === 'claimed' && !known.has(assignment.attempt.id))
        this.send({ type: 'assign', assignment });
    }
  }

  #acknowledge(frame: Counted): void {
    const given = this.answer(frame);
    if (given === 'silence') return;
    const attempt = 'attempt' in frame ? this.#attempts.get(frame.attempt) : undefined;
    if (given !== undefined) {
      this.send({ type: 'ack', seq: frame.seq, error: given.error, body: null });
      return;
    }
    if (attempt?.status === 'ended' && !['complete', 'fail', 'release'].includes(frame.type)) {
      this.send({ type: 'ack', seq: frame.seq, error: staleEpoch, body: null });
      return;
    }
    if (attempt !== undefined && frame.type === 'started') attempt.status = 'running';
    if (attempt !== undefined && ['complete', 'fail', 'release'].includes(frame.type)) {
      attempt.status = 'ended';
    }
    const isQuestion = frame.type === 'checkpoint_open';
    const body = isQuestion
      ? ({ ...this.open(frame), yield: frame.body.resume !== 'live' } as unknown as Json)
      : null;
    this.send({ type: 'ack', seq: frame.seq, error: null, body });
  }

  /** The same client id is the same checkpoint. */
  open(frame: Told<'checkpoint_open'>): Checkpoint {
    const id = `chk_${frame.attempt}_${frame.body.client_id ?? randomUUID()}`;
    const known = this.checkpoints.get(id);
    if (known !== undefined) return known;
    const at = new Date().toISOString();
    const checkpoint: Checkpoint = {
      id,
      project: 'prj_test',
      run: 'run_test',
      task: 'task_test',
      task_key: 'main',
      attempt: frame.attempt,
      kind: frame.body.kind,
      question: frame.body.question,
      context: frame.body.context,
      options: frame.body.options,
      freeform: false,
      default_option: null,
      timeout_at: null,
      on_timeout: 'keep_waiting',
      answer_by: 'human',
      resume: frame.body.resume,
      facts_sha256: null,
      status: 'open',
      resolution: null,
      opened_by: 'agent',
      opened_at: at,
      closed_at: null,
    };
    this.checkpoints.set(id, checkpoint);
    return checkpoint;
  }

  #takeLog(socket: WebSocket, bytes: Buffer): void {
    const piece = decodeLogFrame(bytes);
    const attempt = piece === undefined ? undefined : this.#attempts.get(piece.attempt);
    if (piece === undefined || attempt === undefined) {
      this.faults.push('a log frame of nobody');
      return;
    }
    this.logBytesReceived += piece.data.byteLength;
    const { stream, offset } = piece;
    const about = { attempt: piece.attempt, stream };
    const stored = attempt.bytes.get(stream) ?? 0;
    if (attempt.status === 'ended') {
      this.send({ type: 'log_ack', ...about, next_offset: offset, error: staleEpoch });
      return;
    }
    if (!this.mayStore()) {
      socket.terminate();
      return;
    }
    const fresh = offset > stored ? undefined : piece.data.subarray(stored - offset);
    if (fresh !== undefined && fresh.byteLength > 0) {
      const chunks = attempt.logs.get(stream) ?? [];
      chunks.push(Buffer.from(fresh));
      attempt.logs.set(stream, chunks);
      attempt.bytes.set(stream, stored + fresh.byteLength);
    }
    const next = attempt.bytes.get(stream) ?? 0;
    this.send({ type: 'log_ack', ...about, next_offset: next, error: null });
  }

  /** The attempt is no longer this worker's: everything for it is refused from now on. */
  fence(attempt: string): void {
    const known = this.#attempts.get(attempt);
    if (known !== undefined) known.status = 'ended';
  }

  async #call(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const bytes = Buffer.concat(parts);
    const path = (request.url ?? '').replace('/api/v1', '');
    const [, area = '', id = '', verb = ''] = path.split('/');
    this.#news();
    if (this.isDown) return { status: 503, body: { code: 'store_unavailable', detail: 'down' } };
    if (path === '/workers/register') {
      const { name } = workerRegister.parse(JSON.parse(bytes.toString()));
      const key = `batw_${randomUUID()}`;
      this.keys.add(key);
      return { status: 201, body: { id: 'wrk_test', key, name, project: 'prj_test' } };
    }
    if (area === 'attempts' && verb === 'heartbeat') {
      this.leaseBeats.push(id);
      return { status: 200, body: { lease_seconds: 90, cancel: false } };
    }
    if (area === 'attempts' && verb === 'assignment') {
      const { token: _token, ...rest } = this.#attempts.get(id)?.assignment ?? { token: '' };
      return { status: 200, body: rest };
    }
    if (area === 'attempts' && verb === 'artifacts') return this.#announce(id, bytes);
    if (area === 'uploads') return this.#store(id, bytes);
    if (area === 'artifacts') {
      const content = this.artifacts.find((it) => it.id === id)?.content;
      if (content !== undefined) return { status: 200, body: content };
    }
    return { status: 404, body: { code: 'not_found', detail: path } };
  }

  #announce(attempt: string, bytes: Buffer): { status: number; body: unknown } {
    if (!this.takesUploads) {
      return {
        status: 503,
        body: { code: 'store_unavailable', title: 'x', detail: 'not now', status: 503 },
      };
    }
    const body = JSON.parse(bytes.toString()) as Pick<
      StoredArtifact,
      'name' | 'kind' | 'sha256' | 'meta'
    >;
    let known = this.artifacts.find((it) => it.attempt === attempt && it.sha256 === body.sha256);
    if (known === undefined) {
      const { name, kind, sha256, meta } = body;
      known = {
        id: `art_${this.artifacts.length}`,
        attempt,
        name,
        kind,
        sha256,
        meta,
        content: undefined,
      };
      this.artifacts.push(known);
    }
    const artifact = { ...known, content: undefined };
    const upload = known.content === undefined ? known.id : null;
    return { status: 201, body: { artifact, upload } };
  }

  #store(id: string, bytes: Buffer): { status: number; body: unknown } {
    const known = this.artifacts.find((it) => it.id === id);
    if (known === undefined) return { status: 404, body: { code: 'not_found', detail: id } };
    if (createHash('sha256').update(bytes).digest('hex') !== known.sha256) {
      this.faults.push(`the content of ${known.name} is not what was announced`);
    }
    known.content = bytes;
    return { status: 200, body: {} };
  }

  #news(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

export const staleEpoch: FrameError = {
  code: 'stale_epoch',
  detail: 'the epoch is not current any more',
  retry: false,
  facts: {},
};
