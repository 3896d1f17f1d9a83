import {
  AppError,
  ERROR_CODES,
  attemptArtifact,
  attemptCheckpoint,
  attemptComplete,
  attemptFail,
  attemptNote,
  attemptOutput,
  checkpoint as checkpointSchema,
  progressBody,
  type Assignment,
  type Checkpoint,
  type ErrorCode,
} from '@baton/contract';
import { z } from 'zod';
import type { Ack, Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import type { AnsweredEntry } from '../supervisor/client.ts';
import type { AttemptFiles } from './files.ts';
import type { Uploader } from './uploads.ts';

/** An answer to the agent: an HTTP status and its body. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface AgentRequests {
  /** Carries out one request. Undefined: the answer comes later, through `resolved`. */
  handle(entry: AnsweredEntry): Promise<Answer | undefined>;
  /** A checkpoint was decided: the id of the request that waits for it, if one does. */
  resolved(decided: Checkpoint): { readonly id: string; readonly answer: Answer } | undefined;
}

const fileArtifact = z.strictObject({
  path: z.string(),
  name: z.string().optional(),
  kind: attemptArtifact.shape.kind.optional(),
  media_type: z.string().optional(),
});

/** What an agent asks for through its socket, carried to the control plane and back. */
export function createAgentRequests(
  it: Assignment,
  files: AttemptFiles,
  link: Link,
  uploader: Uploader,
  log: Log,
): AgentRequests {
  const attempt = it.attempt.id;
  const { epoch } = it.attempt;
  /** Checkpoint id -> request id. */
  const asked = new Map<string, string>();

  async function handle(entry: AnsweredEntry): Promise<Answer | undefined> {
    switch (entry.kind) {
      case 'output': {
        const body = attemptOutput.omit({ epoch: true }).parse(entry.body);
        return fromAck(await link.request({ type: 'output', attempt, body: { ...body, epoch } }));
      }
      case 'progress': {
        const body = { epoch, progress: progressBody.parse(entry.body) };
        return fromAck(await link.request({ type: 'progress', attempt, body }));
      }
      case 'note': {
        const body = attemptNote.omit({ epoch: true }).parse(entry.body);
        return fromAck(await link.request({ type: 'note', attempt, body: { ...body, epoch } }));
      }
      case 'artifact': {
        const wanted = fileArtifact.parse(entry.body);
        return { status: 201, body: await uploader.addFile(it, wanted) };
      }
      case 'checkpoint':
        return ask(entry);
      case 'complete': {
        const body = attemptComplete.omit({ epoch: true }).parse(entry.body);
        files.saveDeclared({ kind: 'complete', body });
        return { status: 200, body: { attempt, status: 'handed_in' } };
      }
      case 'fail': {
        const body = attemptFail.omit({ epoch: true }).parse(entry.body);
        files.saveDeclared({ kind: 'fail', body });
        return { status: 200, body: { attempt, status: 'handed_in' } };
      }
      default:
        return problem('not_found', `There is no request of kind ${entry.kind}.`);
    }
  }

  async function ask(entry: AnsweredEntry): Promise<Answer | undefined> {
    const given = attemptCheckpoint.omit({ epoch: true }).parse(entry.body);
    const body = { ...given, client_id: entry.id, epoch };
    const ack = await link.request({ type: 'checkpoint_open', attempt, body });
    if (ack.error !== null) return fromAck(ack);
    const opened = checkpointSchema.parse(ack.body);
    if (opened.status !== 'open') return { status: 200, body: opened };
    asked.set(opened.id, entry.id);
    return undefined;
  }

  return {
    async handle(entry) {
      try {
        return await handle(entry);
      } catch (error) {
        if (error instanceof z.ZodError) return problem('bad_request', z.prettifyError(error));
        if (error instanceof AppError) return problem(error.code, error.message);
        log.error({ error, kind: entry.kind, attempt }, 'a request of an agent failed');
        return problem('internal', 'The request could not be carried out.');
      }
    },
    resolved(decided) {
      const id = asked.get(decided.id);
      if (id === undefined) return undefined;
      asked.delete(decided.id);
      return { id, answer: { status: 200, body: decided } };
    },
  };
}

function fromAck(ack: Ack): Answer {
  if (ack.error === null) return { status: 200, body: ack.body };
  const code = ack.error.code as ErrorCode;
  const status: number = code in ERROR_CODES ? ERROR_CODES[code].status : 500;
  return { status, body: { ...ack.error, status } };
}

function problem(code: ErrorCode, detail: string): Answer {
  const { status, retry } = ERROR_CODES[code];
  return { status, body: { code, status, detail, retry } };
}
