import { AppError, LIMITS, type AttemptCommand, type AttemptLog } from '@baton/contract';
import type { IdempotencyRequest } from '@baton/coordinator';
import { isYield, type Reply } from '@baton/kernel';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import type { AttemptRead } from '@baton/store';
import { found, notFound, resolveId } from '../resolve.ts';
import { artifactView, attemptView } from '../views/attempt.ts';
import { assignmentView } from '../views/assignment.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { outputView } from '../views/task.ts';
import { readAttemptLogPage } from './log-pages.ts';
import { waitForDecision } from './wait-for-decision.ts';

type Names =
  | 'getAttempt'
  | 'readAttemptLogs'
  | 'getAssignment'
  | 'startAttempt'
  | 'heartbeatAttempt'
  | 'progressAttempt'
  | 'appendAttemptLog'
  | 'setAttemptOutput'
  | 'addAttemptArtifact'
  | 'openAttemptCheckpoint'
  | 'planAttempt'
  | 'getAttemptCheckpoint'
  | 'noteAttempt'
  | 'completeAttempt'
  | 'failAttempt'
  | 'releaseAttempt';

interface AttemptCall {
  readonly params: { readonly id: string };
  readonly principal: Principal;
  readonly project: string;
  readonly idempotency: IdempotencyRequest | undefined;
}

type WithoutBase<C> = C extends unknown
  ? Omit<C, 'project' | 'actor' | 'attempt' | 'worker'>
  : never;

/** Handlers of the area `attempts`: what a worker or its agent says of one attempt, over plain HTTP. */
export function attemptHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads, content } = app;

  async function submit(call: AttemptCall, command: WithoutBase<AttemptCommand>): Promise<Reply> {
    const whole = {
      project: call.project,
      actor: actorOf(call.principal),
      attempt: call.params.id,
      worker: call.principal.kind === 'worker' ? call.principal.id : null,
      ...command,
    } as AttemptCommand;
    return coordinator.submit(whole, { idempotency: call.idempotency });
  }

  async function readOf(call: AttemptCall): Promise<AttemptRead> {
    return found(await reads.findAttempt(call.params.id), 'attempt', call.params.id);
  }

  /** Does it and answers with the status of the attempt then. */
  async function act(call: AttemptCall, command: WithoutBase<AttemptCommand>) {
    await submit(call, command);
    const { attempt } = await readOf(call);
    return { attempt: attempt.id, status: attempt.status };
  }

  /** Does it and answers with what was asked. */
  async function ask(call: AttemptCall, command: WithoutBase<AttemptCommand>) {
    const reply = await submit(call, command);
    const id = reply.checkpoint ?? '';
    const read = found(await reads.findCheckpoint(call.project, id), 'checkpoint', id);
    return { ...checkpointView(read), yield: reply.yields === true };
  }

  return {
    async getAttempt(call) {
      const id = await resolveId(reads, 'attempts', call.project, call.params.id);
      return attemptView(found(await reads.findAttempt(id), 'attempt', call.params.id));
    },

    async readAttemptLogs(call) {
      const id = await resolveId(reads, 'attempts', call.project, call.params.id);
      return readAttemptLogPage(app, await reads.findAttempt(id), call.query);
    },

    async getAssignment(call) {
      const assignment = await coordinator.assignmentOf(call.params.id);
      return assignmentView(found(assignment, 'attempt', call.params.id));
    },

    startAttempt: (call) => act(call, { type: 'attempt.start', body: call.body }),

    async heartbeatAttempt(call) {
      await submit(call, { type: 'attempt.heartbeat', body: call.body });
      const { attempt } = await readOf(call);
      // What was stopped before is refused as stale; the refusal says how it was stopped.
      const cancel = attempt.status === 'stopping';
      return { lease_seconds: attempt.leaseSeconds, cancel, yields: cancel && isYield(attempt) };
    },

    progressAttempt: (call) => act(call, { type: 'attempt.progress', body: call.body }),

    async appendAttemptLog(call) {
      const { epoch, stream, offset } = call.body;
      const worker = call.principal.kind === 'worker' ? call.principal.id : null;
      const { nextOffset } = await coordinator.logs.append({
        attempt: call.params.id,
        worker,
        epoch,
        stream,
        offset,
        data: logBytes(call.body),
      });
      return { next_offset: nextOffset };
    },

    async setAttemptOutput(call) {
      await submit(call, { type: 'attempt.output', body: call.body });
      const { attempt } = await readOf(call);
      const output = (await reads.outputsOfTasks([attempt.taskId])).find(
        (it) => it.key === call.body.key && it.generation === attempt.generation,
      );
      return outputView(found(output, 'output', call.body.key));
    },

    async addAttemptArtifact(call) {
      const stored = await content.has(call.project, call.body.sha256);
      const reply = await submit(call, { type: 'attempt.artifact', body: call.body, stored });
      const id = reply.artifact ?? '';
      const artifact = found(await reads.findArtifact(call.project, id), 'artifact', id);
      return {
        artifact: artifactView(artifact),
        upload: (await content.has(call.project, artifact.sha256)) ? null : artifact.id,
      };
    },

    openAttemptCheckpoint: (call) => ask(call, { type: 'attempt.checkpoint', body: call.body }),
    planAttempt: (call) => ask(call, { type: 'attempt.plan', body: call.body }),

    async getAttemptCheckpoint(call) {
      const { id, checkpoint } = call.params;
      const read = await waitForDecision(app, call, checkpoint, call.query.wait);
      if (read?.checkpoint.attemptId !== id) throw notFound('checkpoint', checkpoint);
      return checkpointView(read);
    },

    noteAttempt: (call) => act(call, { type: 'attempt.note', body: call.body }),
    completeAttempt: (call) => act(call, { type: 'attempt.complete', body: call.body }),
    failAttempt: (call) => act(call, { type: 'attempt.fail', body: call.body }),
    releaseAttempt: (call) => act(call, { type: 'attempt.release', body: call.body }),
  };
}

/** @throws {AppError} limit_exceeded, bad_request */
function logBytes({ data, encoding }: AttemptLog): Uint8Array {
  if (encoding === 'base64' && !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    throw new AppError('bad_request', 'data is not base64.');
  }
  const bytes = Buffer.from(data, encoding === 'base64' ? 'base64' : 'utf8');
  if (bytes.length <= LIMITS.logChunkBytesMax) return bytes;
  throw new AppError(
    'limit_exceeded',
    `A piece of log is at most ${LIMITS.logChunkBytesMax} bytes; send it in parts.`,
  );
}
