import {
  AppError,
  ERROR_CODES,
  attemptArtifact,
  attemptAwait,
  attemptAwaitReply,
  attemptCheckpoint,
  attemptComplete,
  attemptFail,
  attemptNote,
  attemptOutput,
  attemptPlan,
  checkpoint as checkpointSchema,
  progressBody,
  taskCreate,
  type Assignment,
  type Checkpoint,
  type ErrorCode,
} from '@baton/contract';
import { z } from 'zod';
import { LinkClosed, type Ack } from '../link/counted-frames.ts';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import type { AnsweredEntry } from '../supervisor/client.ts';
import type { TurnFiles } from './files.ts';
import type { AgentNews } from './news.ts';
import type { Uploader } from './uploads.ts';

/** An answer to the agent: an HTTP status and its body. */
export interface AgentAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The requests of one agent, from its socket to the control plane and back. */
export interface AgentRequests {
  /**
   * Carries out one request. Undefined: the answer comes later (a question, through `decided` or
   * `askAgain`) or never, because the daemon lets go of the attempt. Never rejects.
   */
  handle(entry: AnsweredEntry): Promise<AgentAnswer | undefined>;
  /** A checkpoint was decided: the request that waits for it, if one does, gets its answer. */
  decided(checkpoint: Checkpoint): void;
  /** The agent waits because there is no room for its output, or does not any more. */
  stuck(isStuck: boolean): void;
  /** A new connection: asks again for each question that waits, for its answer may have been lost. */
  askAgain(): void;
}

/** What carrying requests takes; all of one turn. */
export interface RequestContext {
  readonly assignment: Assignment;
  readonly turn: TurnFiles;
  readonly link: Link;
  readonly uploader: Uploader;
  readonly news: AgentNews;
  readonly log: Log;
  /** Resolves when the control plane knows that the agent runs: it takes nothing before. */
  readonly started: Promise<void>;
  readonly signal: AbortSignal;
  /** Gives the agent an answer that came late. */
  readonly answer: (requestId: string, answer: AgentAnswer) => void;
  /** The agent is told to end its turn: `held` keeps the attempt open without its process. */
  readonly onYield: (how: 'held' | 'ended') => void;
}

const fileArtifact = z.strictObject({
  path: z.string(),
  name: z.string().max(300).optional(),
  kind: attemptArtifact.shape.kind.optional(),
  media_type: z.string().max(200).optional(),
});

const unfenced = { epoch: true } as const;
const shapes = {
  output: attemptOutput.omit(unfenced),
  note: attemptNote.omit(unfenced),
  checkpoint: attemptCheckpoint.omit(unfenced),
  plan: attemptPlan.omit(unfenced),
  complete: attemptComplete.omit(unfenced),
  fail: attemptFail.omit(unfenced),
};

const askedSchema = checkpointSchema.extend({ yield: z.boolean().default(false) });

/** Decisions that came before it was known that somebody waits for them. */
const earlyMax = 100;

/** What an agent asks for through its socket, carried to the control plane and back. */
export function createAgentRequests(context: RequestContext): AgentRequests {
  const { turn, link, signal } = context;
  const attempt = context.assignment.attempt.id;
  const { epoch } = context.assignment.attempt;
  /** Questions by the id of their checkpoint. */
  const asked = new Map<string, AnsweredEntry>();
  const early = new Map<string, Checkpoint>();

  async function carryOut(entry: AnsweredEntry): Promise<AgentAnswer | undefined> {
    switch (entry.kind) {
      case 'complete':
        return handIn({ kind: 'complete', body: shapes.complete.parse(entry.body) });
      case 'fail':
        return handIn({ kind: 'fail', body: shapes.fail.parse(entry.body) });
      case 'output':
        return send('output', shapes.output.parse(entry.body));
      case 'note':
        return send('note', shapes.note.parse(entry.body));
      case 'progress':
        context.news.reported();
        return send('progress', { progress: progressBody.parse(entry.body) });
      case 'artifact': {
        const wanted = fileArtifact.parse(entry.body);
        await context.started;
        const artifact = await context.uploader.addFile(context.assignment, wanted, signal);
        return { status: 201, body: artifact };
      }
      case 'checkpoint':
      case 'plan':
        return ask(entry);
      case 'spawn':
        return spawn(entry);
      case 'children':
        await context.started;
        return fromAck(await link.request({ type: 'children', attempt }));
      case 'await':
        return awaitOthers(entry);
      default:
        return problem('not_found', `There is no request of kind ${entry.kind}.`);
    }
  }

  /** The agent's own word on how it ended; it is told when the agent's process has ended. */
  function handIn(report: Parameters<TurnFiles['saveDeclared']>[0]): AgentAnswer {
    turn.saveDeclared(report);
    return { status: 200, body: { attempt, status: 'handed_in' } };
  }

  async function send(type: 'output' | 'note' | 'progress', body: object): Promise<AgentAnswer> {
    await context.started;
    const frame = { type, attempt, body: { ...body, epoch } } as Parameters<Link['request']>[0];
    return fromAck(await link.request(frame));
  }

  async function ask(entry: AnsweredEntry): Promise<AgentAnswer | undefined> {
    const shape = entry.kind === 'plan' ? shapes.plan : shapes.checkpoint;
    const body = { ...shape.parse(entry.body), client_id: entry.id, epoch };
    await context.started;
    const type = entry.kind === 'plan' ? 'plan' : 'checkpoint_open';
    const ack = await link.request({ type, attempt, body } as Parameters<Link['request']>[0]);
    if (ack.error !== null) return fromAck(ack);
    const opened = askedSchema.parse(ack.body);
    if (opened.yield) {
      context.onYield(opened.resume === 'held' ? 'held' : 'ended');
      return { status: 200, body: opened };
    }
    const closed = opened.status === 'open' ? early.get(opened.id) : opened;
    if (closed !== undefined) return { status: 200, body: closed };
    asked.set(opened.id, entry);
    return undefined;
  }

  async function spawn(entry: AnsweredEntry): Promise<AgentAnswer> {
    const task = taskCreate.parse(entry.body);
    await context.started;
    // The request's id makes sending it again harmless, also for a daemon after this one.
    const body = { epoch, request: entry.id, task };
    return fromAck(await link.request({ type: 'spawn', attempt, body }));
  }

  async function awaitOthers(entry: AnsweredEntry): Promise<AgentAnswer> {
    const given = typeof entry.body === 'object' ? entry.body : {};
    const body = attemptAwait.parse({ ...given, epoch });
    await context.started;
    const ack = await link.request({ type: 'await', attempt, body });
    if (ack.error !== null) return fromAck(ack);
    const answered = attemptAwaitReply.parse(ack.body);
    if (answered.yield) context.onYield('ended');
    return { status: 200, body: answered };
  }

  async function handle(entry: AnsweredEntry): Promise<AgentAnswer | undefined> {
    try {
      return await carryOut(entry);
    } catch (error) {
      if (signal.aborted || error instanceof LinkClosed) return undefined;
      if (error instanceof z.ZodError) return problem('bad_request', z.prettifyError(error));
      if (error instanceof AppError) return problem(error.code, error.message);
      context.log.error({ error, kind: entry.kind, attempt }, 'a request of an agent failed');
      return problem('internal', 'The request could not be carried out.');
    }
  }

  return {
    handle,
    decided(checkpoint) {
      const entry = asked.get(checkpoint.id);
      if (entry === undefined) {
        const [oldest] = early.keys();
        if (early.size >= earlyMax && oldest !== undefined) early.delete(oldest);
        early.set(checkpoint.id, checkpoint);
        return;
      }
      asked.delete(checkpoint.id);
      context.answer(entry.id, { status: 200, body: checkpoint });
    },
    stuck(isStuck) {
      const text = isStuck
        ? 'waits: the disk of this worker is full'
        : 'goes on: there is room on the disk again';
      context.log.warn({ attempt }, `the agent ${text}`);
      send('progress', { progress: { text } }).catch(() => undefined);
    },
    askAgain() {
      for (const [checkpoint, entry] of asked) {
        void handle(entry).then((answer) => {
          // Answered already, through the decision itself?
          if (answer === undefined || !asked.delete(checkpoint)) return;
          context.answer(entry.id, answer);
        });
      }
    },
  };
}

function fromAck(ack: Ack): AgentAnswer {
  if (ack.error === null) return { status: 200, body: ack.body };
  const code = ack.error.code as ErrorCode;
  const status: number = code in ERROR_CODES ? ERROR_CODES[code].status : 500;
  return { status, body: { ...ack.error, title: code, status } };
}

function problem(code: ErrorCode, detail: string): AgentAnswer {
  const { status, retry } = ERROR_CODES[code];
  return { status, body: { code, title: code, status, detail, retry, facts: {} } };
}
