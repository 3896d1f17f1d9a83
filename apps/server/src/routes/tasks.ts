import type { Command } from '@baton/contract';
import type { IdempotencyRequest } from '@baton/coordinator';
import type { Reply } from '@baton/kernel';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { spawnFor } from '../delegation.ts';
import { byInstant, mapPage, readPage, wholePage } from '../paging.ts';
import type { TaskRead } from '@baton/store';
import { found, notFound, resolveId } from '../resolve.ts';
import { artifactView, attemptView } from '../views/attempt.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { dependencyView } from '../views/run.ts';
import { noteView, outputView, taskView } from '../views/task.ts';
import { checkSeen } from './agent-view.ts';
import { answerEvents } from './events.ts';
import { explainTaskOf } from './explain.ts';
import { readAttemptLogPage } from './log-pages.ts';
import { detailReader } from './task-detail.ts';
import { rejectionReason, viaOf } from './via.ts';

type Names =
  | 'createTask'
  | 'listTasks'
  | 'getTask'
  | 'explainTask'
  | 'approveTask'
  | 'rejectTask'
  | 'answerTask'
  | 'assignTask'
  | 'cancelTask'
  | 'retryTask'
  | 'progressTask'
  | 'listNotes'
  | 'addNote'
  | 'listAttempts'
  | 'readTaskLogs'
  | 'listTaskEvents'
  | 'listTaskArtifacts'
  | 'listOutputs'
  | 'addDependency'
  | 'removeDependency'
  | 'openTaskCheckpoint'
  | 'updateTask'
  | 'messageTask';

/** A request about one task. */
interface TaskCall {
  readonly params: { readonly id: string };
  readonly principal: Principal;
  readonly project: string;
  readonly idempotency: IdempotencyRequest | undefined;
}

type TaskCommand = Command & { readonly task: string };
type WithoutBase<C> = C extends unknown ? Omit<C, 'project' | 'actor' | 'task'> : never;

/** Handlers of the area `tasks`, but for what streams and what is bytes. */
export function taskHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads } = app;
  const detailOf = detailReader(app);

  /** The task's stored id. An agent sees its own task alone. */
  async function idOf({ principal, project, params }: TaskCall): Promise<string> {
    const id = await resolveId(reads, 'tasks', project, params.id);
    await checkSeen(reads, principal, id, params.id);
    return id;
  }

  async function taskOf(call: TaskCall): Promise<TaskRead> {
    return found(await reads.findTask(call.project, await idOf(call)), 'task', call.params.id);
  }

  async function submit(
    call: TaskCall,
    task: string,
    command: WithoutBase<TaskCommand>,
  ): Promise<Reply> {
    const base = { project: call.project, actor: actorOf(call.principal), task };
    const whole = { ...base, ...command } as TaskCommand;
    return coordinator.submit(whole, { idempotency: call.idempotency });
  }

  /** Does it and answers with the task as it is then. */
  async function act(call: TaskCall, command: WithoutBase<TaskCommand>) {
    const id = await idOf(call);
    await submit(call, id, command);
    return taskView(found(await reads.findTask(call.project, id), 'task', call.params.id));
  }

  return {
    async createTask(call) {
      const { project, body, principal } = call;
      if (principal.kind === 'attempt') {
        const { task, run, id: attempt, epoch } = principal;
        const agent = {
          project,
          run,
          task,
          attempt,
          epoch,
          worker: null,
          actor: actorOf(principal),
        };
        const made = await spawnFor(app, agent, body, { idempotency: call.idempotency });
        return detailOf(project, made, body.id ?? '');
      }
      const dependsOn = [];
      for (const dependency of body.depends_on) {
        const text = typeof dependency === 'string' ? dependency : dependency.task;
        const task = await resolveId(reads, 'tasks', project, text);
        dependsOn.push(typeof dependency === 'string' ? task : { ...dependency, task });
      }
      const reply = await coordinator.submit(
        {
          type: 'task.create',
          project,
          actor: actorOf(call.principal),
          body: {
            ...body,
            depends_on: dependsOn,
            ...(body.run === undefined
              ? {}
              : { run: await resolveId(reads, 'runs', project, body.run) }),
            ...(body.parent_task === undefined
              ? {}
              : { parent_task: await resolveId(reads, 'tasks', project, body.parent_task) }),
          },
        },
        { idempotency: call.idempotency },
      );
      return detailOf(project, reply.task ?? '', body.id ?? '');
    },

    async listTasks(call) {
      const { project } = call;
      const { limit, cursor, run, parent, needs_human: needsHuman, ...rest } = call.query;
      const filter = {
        ...rest,
        needsHuman,
        run: run === undefined ? undefined : await resolveId(reads, 'runs', project, run),
        parent: parent === undefined ? undefined : await resolveId(reads, 'tasks', project, parent),
      };
      const page = await readPage(
        { limit, cursor, filter: ['tasks', project, filter] },
        byInstant,
        (count, after) => reads.listTasks(project, filter, count, after),
        ({ task }) => ({ atMs: task.createdAtMs, id: task.id }),
      );
      return mapPage(page, taskView);
    },

    async getTask(call) {
      return detailOf(call.project, await idOf(call), call.params.id);
    },

    async explainTask(call) {
      return explainTaskOf(app, await taskOf(call));
    },

    async approveTask(call) {
      const via = viaOf(call.principal);
      return act(call, { type: 'task.decide', verb: 'approve', body: call.body, via });
    },

    async rejectTask(call) {
      const reason = rejectionReason(call.principal, call.body.reason);
      const body = reason === undefined ? {} : { reason };
      const via = viaOf(call.principal);
      return act(call, { type: 'task.decide', verb: 'reject', body, via });
    },

    async answerTask(call) {
      const via = viaOf(call.principal, call.body.via);
      return act(call, { type: 'task.decide', verb: 'answer', body: call.body, via });
    },

    assignTask: (call) => act(call, { type: 'task.assign', worker: call.body.worker }),

    cancelTask: (call) => act(call, { type: 'task.cancel', reason: call.body.reason ?? null }),

    async retryTask(call) {
      const { reason = null, downstream } = call.body;
      return act(call, { type: 'task.retry', reason, downstream });
    },

    async progressTask(call) {
      const { percent = null, text } = call.body;
      return act(call, { type: 'task.progress', percent, text });
    },

    async listNotes(call) {
      const id = await idOf(call);
      const page = await readPage(
        { ...call.query, filter: ['notes', id] },
        byInstant,
        (count, after) => reads.notesOfTask(id, count, after),
        (note) => ({ atMs: note.createdAtMs, id: note.id }),
      );
      return mapPage(page, noteView);
    },

    async addNote(call) {
      const id = await idOf(call);
      const { text, urgent } = call.body;
      const reply = await submit(call, id, { type: 'task.note', text, urgent });
      const note = reply.note ?? '';
      return noteView(found(await reads.findNote(id, note), 'note', note));
    },

    async listAttempts(call) {
      const id = await idOf(call);
      const page = await readPage(
        { ...call.query, filter: ['attempts', id] },
        byInstant,
        (count, after) => reads.attemptsOfTask(id, count, after),
        ({ attempt }) => ({ atMs: attempt.claimedAtMs, id: attempt.id }),
      );
      return mapPage(page, attemptView);
    },

    async readTaskLogs(call) {
      const { task } = await taskOf(call);
      const named = call.query.attempt;
      const id =
        named === undefined
          ? task.attemptId
          : await resolveId(reads, 'attempts', call.project, named);
      const read = id === null ? undefined : await reads.findAttempt(id);
      if (named !== undefined && read?.attempt.taskId !== task.id) throw notFound('attempt', named);
      return readAttemptLogPage(app, read, call.query);
    },

    async listTaskEvents(call) {
      return answerEvents(app, call, { project: call.project, task: await idOf(call) });
    },

    async listTaskArtifacts(call) {
      return wholePage((await reads.artifactsOfTask(await idOf(call))).map(artifactView));
    },

    async listOutputs(call) {
      const { task } = await taskOf(call);
      const outputs = await reads.outputsOfTasks([task.id]);
      return wholePage(
        outputs.filter(({ generation }) => generation === task.generation).map(outputView),
      );
    },

    async addDependency(call) {
      const id = await idOf(call);
      const { project, body } = call;
      const upstream = await resolveId(reads, 'tasks', project, body.upstream);
      const reply = await submit(call, id, { type: 'dependency.add', body: { ...body, upstream } });
      const dependency = reply.dependency ?? '';
      const edge = (await reads.edgesOfTask(id)).find((it) => it.edge.id === dependency);
      return dependencyView(found(edge, 'dependency', dependency));
    },

    async removeDependency(call) {
      const id = await idOf(call);
      const { dependency } = call.params;
      const edge = (await reads.edgesOfTask(id)).find(
        (it) => it.edge.id === dependency && it.edge.downstreamId === id,
      );
      found(edge, 'dependency', dependency);
      await submit(call, id, { type: 'dependency.remove', dependency });
      return undefined;
    },

    async openTaskCheckpoint(call) {
      const id = await idOf(call);
      const reply = await submit(call, id, { type: 'checkpoint.open', body: call.body });
      const checkpoint = reply.checkpoint ?? '';
      const read = await reads.findCheckpoint(call.project, checkpoint);
      return checkpointView(found(read, 'checkpoint', checkpoint));
    },

    async updateTask(call) {
      const id = await idOf(call);
      await submit(call, id, { type: 'task.update', body: call.body });
      return detailOf(call.project, id, call.params.id);
    },

    async messageTask(call) {
      const id = await idOf(call);
      const reply = await submit(call, id, { type: 'task.message', text: call.body.text });
      const note = reply.note ?? '';
      const read = found(await reads.findNote(id, note), 'note', note);
      return { ...noteView(read), delivered: reply.delivered === true };
    },
  };
}
