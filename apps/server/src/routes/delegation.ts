import { isTerminalTask, neededEnds } from '@baton/contract';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { awaitFor, taskOfAgent, type Agent } from '../delegation.ts';
import { byInstant, mapPage, readPage, wholePage } from '../paging.ts';
import { found, resolveId } from '../resolve.ts';
import { actionView, awaitView } from '../views/await.ts';
import { delegationStatsView, statsView } from '../views/stats.ts';
import { taskView } from '../views/task.ts';
import { timelineView } from '../views/timeline.ts';
import { checkSeen, workOf } from './agent-view.ts';
import { waitForTasks } from './wait-for-tasks.ts';

type Names =
  | 'waitTasks'
  | 'listChildren'
  | 'listAwaits'
  | 'wakeTask'
  | 'awaitAttempt'
  | 'recordActions'
  | 'listActions'
  | 'getTimeline'
  | 'getStats'
  | 'getDelegationStats';

interface TaskCall {
  readonly params: { readonly id: string };
  readonly principal: Principal;
  readonly project: string;
}

/** Handlers about work that waits for other work, agents that hand work on, and what came of it all. */
export function delegationHandlers(app: App): Pick<Handlers, Names> {
  const { reads, coordinator } = app;

  async function idOf({ principal, project, params }: TaskCall): Promise<string> {
    const id = await resolveId(reads, 'tasks', project, params.id);
    await checkSeen(reads, principal, id, params.id);
    return id;
  }

  /** A task that somebody names; an agent also by its key. */
  async function seenTask(call: Omit<TaskCall, 'params'>, text: string): Promise<string> {
    const { principal, project } = call;
    if (principal.kind !== 'attempt') return resolveId(reads, 'tasks', project, text);
    const id = await taskOfAgent(reads, principal, text);
    await checkSeen(reads, principal, id, text);
    return id;
  }

  return {
    async waitTasks(call) {
      const { ids: texts, policy, quorum, timeout } = call.body;
      const resolved = [];
      for (const text of texts) resolved.push(await seenTask(call, text));
      const ids = [...new Set(resolved)];
      const needed = neededEnds(policy, quorum, ids.length);
      const { isMet, tasks } = await waitForTasks(app, call, ids, needed, timeout);
      return {
        met: isMet,
        needed,
        ended: tasks.filter(({ task }) => isTerminalTask(task.status)).length,
        tasks: tasks.map(taskView),
      };
    },

    async listChildren(call) {
      const parent = await idOf(call);
      const page = await readPage(
        { ...call.query, filter: ['children', parent] },
        byInstant,
        (count, after) => reads.listTasks(call.project, { parent }, count, after),
        ({ task }) => ({ atMs: task.createdAtMs, id: task.id }),
      );
      return mapPage(page, taskView);
    },

    async listAwaits(call) {
      return wholePage((await reads.awaitsOfTask(await idOf(call))).map(awaitView));
    },

    async wakeTask(call) {
      const task = await idOf(call);
      await coordinator.submit(
        { type: 'await.cancel', project: call.project, actor: actorOf(call.principal), task },
        { idempotency: call.idempotency },
      );
      return taskView(found(await reads.findTask(call.project, task), 'task', call.params.id));
    },

    async awaitAttempt(call) {
      const { principal, params } = call;
      const { task, run } = await workOf(reads, principal, params.id);
      const agent: Agent = {
        project: call.project,
        run,
        task,
        attempt: params.id,
        worker: principal.kind === 'worker' ? principal.id : null,
        epoch: call.body.epoch,
        actor: actorOf(principal),
      };
      return awaitFor(app, agent, call.body, { idempotency: call.idempotency });
    },

    async recordActions(call) {
      const { principal, params, project, body } = call;
      const worker = principal.kind === 'worker' ? principal.id : null;
      const actor = actorOf(principal);
      await coordinator.submit(
        { type: 'attempt.actions', project, actor, attempt: params.id, worker, body },
        { idempotency: call.idempotency },
      );
      return { attempt: params.id, recorded: body.actions.length };
    },

    async listActions(call) {
      const id = await idOf(call);
      const page = await readPage(
        { ...call.query, filter: ['actions', id] },
        byInstant,
        (count, after) => reads.actionsOfTask(id, count, after),
        (it) => ({ atMs: it.startedAtMs, id: it.id }),
      );
      return mapPage(page, actionView);
    },

    async getTimeline(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      const { run } = found(await reads.findRun(call.project, id), 'run', call.params.id);
      const [tasks, attempts, checkpoints] = await Promise.all([
        reads.tasksOfRun(id),
        reads.attemptsOfRun(id),
        reads.checkpointsOfRun(id),
      ]);
      const nowMs = coordinator.nowMs();
      return timelineView({ run, tasks, attempts, checkpoints, nowMs }, call.query.by);
    },

    async getStats(call) {
      const nowMs = coordinator.nowMs();
      const sinceMs = nowMs - call.query.hours * 3_600_000;
      const [counts, attempts, running] = await Promise.all([
        reads.countProject(call.project),
        reads.countAttempts(call.project, sinceMs),
        reads.listRunning(call.project),
      ]);
      return statsView({ nowMs, sinceMs, counts, attempts, running });
    },

    async getDelegationStats(call) {
      const counts = await reads.countDelegation(call.project);
      return delegationStatsView(coordinator.nowMs(), counts);
    },
  };
}
