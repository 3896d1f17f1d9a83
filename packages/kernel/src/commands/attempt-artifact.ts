import { aboutAttempt } from '../attempt/close-attempt.ts';
import { fence } from '../attempt/fence.ts';
import { list, row } from '../need.ts';
import type { Handler } from './handler.ts';

/** Describes a file; also by an attempt that is being stopped. The same again is the same artifact. */
export const attemptArtifact: Handler<'attempt.artifact'> = (draft, command) => {
  const attempt = fence(draft, command, true);
  if ('refused' in attempt) return attempt;
  draft.load([list('artifactsOfTask', attempt.taskId), row('runs', attempt.runId)]);
  const { body } = command;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  const upload = !command.stored;
  const known = draft
    .list('artifactsOfTask', attempt.taskId)
    .find(
      (it) => it.attemptId === attempt.id && it.name === body.name && it.sha256 === body.sha256,
    );
  if (known !== undefined) return { ...reply, artifact: known.id, upload, already: true };
  const id = draft.newId('artifact');
  draft.put('artifacts', {
    id,
    taskId: attempt.taskId,
    runId: attempt.runId,
    projectId: attempt.projectId,
    attemptId: attempt.id,
    name: body.name,
    kind: body.kind,
    mediaType: body.media_type,
    size: body.size,
    sha256: body.sha256,
    meta: body.meta,
    createdAtMs: draft.nowMs,
  });
  draft.event('artifact.added', aboutAttempt(attempt), {
    artifact: id,
    name: body.name,
    kind: body.kind,
    size: body.size,
    sha256: body.sha256,
  });
  return { ...reply, artifact: id, upload };
};
