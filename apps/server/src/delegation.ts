import { createHash } from 'node:crypto';
import {
  AppError,
  taskKey,
  type Actor,
  type AttemptAwait,
  type AttemptAwaitReply,
  type Task,
  type TaskCreate,
} from '@baton/contract';
import type { SubmitOptions } from '@baton/coordinator';
import type { App } from './app.ts';
import { found, resolveId } from './resolve.ts';
import { awaitView } from './views/await.ts';
import { taskView } from './views/task.ts';

type Parts = Pick<App, 'coordinator' | 'reads'>;

/** An agent that hands work on or waits for it, whichever way it speaks. */
export interface Agent {
  readonly project: string;
  readonly run: string;
  readonly task: string;
  readonly attempt: string;
  /** Null: it spoke itself, with its attempt's token. */
  readonly worker: string | null;
  readonly epoch: number;
  readonly actor: Actor;
}

/** Children that one look at them shows. */
const childrenMax = 200;

/** Makes a task that an agent hands on. Answers its stored id. @throws {AppError} */
export async function spawnFor(
  { coordinator, reads }: Parts,
  agent: Agent,
  body: TaskCreate,
  options: SubmitOptions,
): Promise<string> {
  const { project } = agent;
  const depends = [];
  for (const it of body.depends_on) {
    const task = await taskOfAgent(reads, agent, typeof it === 'string' ? it : it.task);
    depends.push(typeof it === 'string' ? task : { ...it, task });
  }
  const reply = await coordinator.submit(
    {
      type: 'task.create',
      project,
      actor: agent.actor,
      spawner: { attempt: agent.attempt, worker: agent.worker, epoch: agent.epoch },
      body: {
        ...body,
        depends_on: depends,
        ...(body.run === undefined
          ? {}
          : { run: await resolveId(reads, 'runs', project, body.run) }),
        ...(body.parent_task === undefined
          ? {}
          : { parent_task: await resolveId(reads, 'tasks', project, body.parent_task) }),
      },
    },
    options,
  );
  return reply.task ?? '';
}

/** The same where requests have names of their own: a repeated one gets the first answer. */
export async function spawnOnce(
  parts: Parts,
  agent: Agent,
  request: string,
  body: TaskCreate,
  connection: string,
): Promise<Task> {
  const requestSha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const id = await spawnFor(parts, agent, body, {
    connection,
    idempotency: { scope: `spawn ${agent.attempt}`, key: request, requestSha256 },
  });
  return taskView(found(await parts.reads.findTask(agent.project, id), 'task', id));
}

/** Opens an agent's await, or answers what has come to pass. @throws {AppError} */
export async function awaitFor(
  { coordinator, reads }: Parts,
  agent: Agent,
  body: AttemptAwait,
  options: SubmitOptions,
): Promise<AttemptAwaitReply> {
  const ids = [];
  for (const text of body.ids) ids.push(await taskOfAgent(reads, agent, text));
  const reply = await coordinator.submit(
    {
      type: 'await.open',
      project: agent.project,
      actor: agent.actor,
      attempt: agent.attempt,
      worker: agent.worker,
      body: { ...body, ids },
    },
    options,
  );
  if (reply.await === undefined) {
    return { await: null, yield: false, met: true, results: [...(reply.results ?? [])] };
  }
  const opened = (await reads.awaitsOfTask(agent.task)).find((it) => it.id === reply.await);
  return {
    await: awaitView(found(opened, 'await', reply.await)),
    yield: reply.yields === true,
    met: false,
    results: [],
  };
}

/** The tasks that an agent's task handed on, newest first. */
export async function childrenOf(
  { reads }: Pick<App, 'reads'>,
  project: string,
  task: string,
): Promise<Task[]> {
  const read = await reads.listTasks(project, { parent: task }, childrenMax, undefined);
  return read.map(taskView);
}

/** A task that an agent names: by its key in the agent's own run, else by its id. */
export async function taskOfAgent(
  reads: App['reads'],
  agent: Pick<Agent, 'project' | 'run'>,
  text: string,
): Promise<string> {
  if (taskKey.safeParse(text).success) {
    const byKey = await reads.taskIdByKey(agent.run, text);
    if (byKey !== undefined) return byKey;
  }
  return resolveId(reads, 'tasks', agent.project, text);
}

/** An attempt of a worker as the agent that its frames speak for. @throws {AppError} not_found */
export async function agentOf(
  { reads }: Pick<App, 'reads'>,
  speaker: { readonly project: string; readonly worker: string; readonly actor: Actor },
  attempt: string,
  epoch: number,
): Promise<Agent> {
  const read = await reads.findAttempt(attempt);
  if (read?.attempt.workerId !== speaker.worker) {
    throw new AppError('not_found', `There is no attempt ${attempt} of this worker.`);
  }
  const { taskId, runId } = read.attempt;
  return { ...speaker, run: runId, task: taskId, attempt, epoch };
}
