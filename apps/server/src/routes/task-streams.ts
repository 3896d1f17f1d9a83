import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { contentResponse } from '../content-response.ts';
import { notFound, resolveId } from '../resolve.ts';
import { logStream } from '../streams/log-stream.ts';
import { sseResponse } from '../streams/sse.ts';
import { streamSignal } from '../streams/stream-signal.ts';
import { checkSeen } from './agent-view.ts';

/** Handlers of the area `tasks` that answer with a stream or bytes. */
export function taskStreamHandlers(app: App): Pick<Handlers, 'streamTaskLogs' | 'getTaskDiff'> {
  const { reads } = app;
  return {
    async streamTaskLogs(call) {
      const { project } = call;
      const task = await resolveId(reads, 'tasks', project, call.params.id);
      const named = call.query.attempt;
      const attempt =
        named === undefined ? undefined : await resolveId(reads, 'attempts', project, named);
      if (attempt !== undefined) {
        const read = await reads.findAttempt(attempt);
        if (read?.attempt.taskId !== task) throw notFound('attempt', named ?? attempt);
      }
      const after = await resumeAt(call.header('last-event-id'), task);
      const subject = { project, task, attempt, stream: call.query.stream, after };
      return sseResponse(logStream(app, subject, streamSignal(app, call)));
    },

    async getTaskDiff(call) {
      const task = await resolveId(reads, 'tasks', call.project, call.params.id);
      await checkSeen(reads, call.principal, task, call.params.id);
      const patches = (await reads.artifactsOfTask(task)).filter(({ kind }) => kind === 'patch');
      for (const patch of patches) {
        const body = await app.content.open(call.project, patch.sha256);
        if (body === undefined) continue;
        return contentResponse({
          body,
          size: patch.size,
          name: patch.name,
          mediaType: 'text/x-diff; charset=utf-8',
        });
      }
      throw notFound('patch of task', call.params.id);
    },
  };

  /** `<attempt>.<seq>` of the last piece the reader has; a foreign one is as if it had none. */
  async function resumeAt(id: string | undefined, task: string) {
    const match = /^(att_[0-9a-z]{26})\.(\d{1,15})$/.exec(id ?? '');
    if (match === null) return undefined;
    const [, attempt = '', seq] = match;
    const read = await reads.findAttempt(attempt);
    if (read?.attempt.taskId !== task) return undefined;
    return { attempt, seq: Number(seq) };
  }
}
