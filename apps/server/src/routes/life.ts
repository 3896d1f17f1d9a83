import type { Command, RouteName } from '@baton/contract';
import type { IdempotencyRequest } from '@baton/coordinator';
import type { Reply } from '@baton/kernel';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { findGraph } from '../graph.ts';
import { found, notFound, resolveId } from '../resolve.ts';
import { attemptView } from '../views/attempt.ts';
import { runView } from '../views/run.ts';
import { taskView } from '../views/task.ts';
import { graphView } from './runs.ts';
import { detailReader } from './task-detail.ts';
import { rejectionReason } from './via.ts';

type Names = Extract<
  RouteName,
  | `${'pause' | 'resume' | 'rerun' | 'delete' | 'purge'}${'Run' | 'Task'}`
  | 'relaunchTask'
  | 'reviewTask'
  | 'adoptAttempt'
>;

/** A request about one run, task or attempt. */
interface LifeCall {
  readonly params: { readonly id: string };
  readonly principal: Principal;
  readonly project: string;
  readonly idempotency: IdempotencyRequest | undefined;
}

type WithoutBase<C> = C extends unknown ? Omit<C, 'project' | 'actor'> : never;

/** Handlers for the lives of runs and tasks: suspended, begun anew, reviewed, deleted. */
export function lifeHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads } = app;
  const detailOf = detailReader(app);

  const runIdOf = (call: LifeCall): Promise<string> =>
    resolveId(reads, 'runs', call.project, call.params.id);
  const taskIdOf = (call: LifeCall): Promise<string> =>
    resolveId(reads, 'tasks', call.project, call.params.id);

  async function submit(call: LifeCall, command: WithoutBase<Command>): Promise<Reply> {
    const base = { project: call.project, actor: actorOf(call.principal) };
    return coordinator.submit({ ...base, ...command } as Command, {
      idempotency: call.idempotency,
    });
  }

  async function onRun(call: LifeCall, command: (run: string) => WithoutBase<Command>) {
    const id = await runIdOf(call);
    await submit(call, command(id));
    return runView(found(await reads.findRun(call.project, id), 'run', call.params.id));
  }

  async function onTask(call: LifeCall, command: (task: string) => WithoutBase<Command>) {
    const id = await taskIdOf(call);
    await submit(call, command(id));
    return taskView(found(await reads.findTask(call.project, id), 'task', call.params.id));
  }

  /** Purges what is there, deleted or not; what was purged before is answered as done. */
  async function purge(
    call: LifeCall,
    kind: 'runs' | 'tasks',
    command: (id: string) => WithoutBase<Command>,
  ): Promise<undefined> {
    const text = call.params.id;
    const shown = await reads.findIds(kind, call.project, text);
    const ids = shown.length > 0 ? shown : await reads.findIdsEver(kind, call.project, text);
    if (ids.length === 0) {
      if (await reads.wasPurged(call.project, text)) return undefined;
      throw notFound(kind === 'runs' ? 'run' : 'task', text);
    }
    const id = await resolveId({ findIds: async () => ids }, kind, call.project, text);
    await submit(call, command(id));
    return undefined;
  }

  return {
    pauseRun: (call) =>
      onRun(call, (run) => ({ type: 'run.pause', run, reason: call.body.reason ?? null })),
    resumeRun: (call) => onRun(call, (run) => ({ type: 'run.resume', run })),

    async rerunRun(call) {
      const id = await runIdOf(call);
      const reason = call.body.reason ?? null;
      const { run = '' } = await submit(call, { type: 'run.rerun', run: id, reason });
      return graphView(found(await findGraph(app.db, call.project, run), 'run', run));
    },

    async deleteRun(call) {
      await submit(call, { type: 'run.delete', run: await runIdOf(call), reason: null });
      return undefined;
    },

    purgeRun: (call) => purge(call, 'runs', (run) => ({ type: 'run.purge', run })),

    pauseTask: (call) =>
      onTask(call, (task) => ({ type: 'task.pause', task, reason: call.body.reason ?? null })),
    resumeTask: (call) => onTask(call, (task) => ({ type: 'task.resume', task })),

    relaunchTask: (call) =>
      onTask(call, (task) => {
        const { reason = null, downstream } = call.body;
        return { type: 'task.relaunch', task, reason, downstream };
      }),

    async rerunTask(call) {
      const id = await taskIdOf(call);
      const reason = call.body.reason ?? null;
      const { task = '' } = await submit(call, { type: 'task.rerun', task: id, reason });
      return detailOf(call.project, task, task);
    },

    reviewTask: (call) =>
      onTask(call, (task) => {
        const { action, reason, requeue } = call.body;
        const isReject = action === 'reject';
        const note = isReject ? rejectionReason(call.principal, reason) : reason;
        const done = isReject && requeue ? 'request_changes' : action;
        return { type: 'task.review', task, action: done, note: note ?? null };
      }),

    async deleteTask(call) {
      await submit(call, { type: 'task.delete', task: await taskIdOf(call), reason: null });
      return undefined;
    },

    purgeTask: (call) => purge(call, 'tasks', (task) => ({ type: 'task.purge', task })),

    async adoptAttempt(call) {
      const id = await resolveId(reads, 'attempts', call.project, call.params.id);
      const reason = call.body.reason ?? null;
      await submit(call, { type: 'attempt.adopt', attempt: id, reason });
      return attemptView(found(await reads.findAttempt(id), 'attempt', call.params.id));
    },
  };
}
