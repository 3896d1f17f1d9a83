import { planTask, type Plan, type RunCreate } from '@baton/contract';
import { explainRun, overAsked } from '@baton/kernel';
import { actorOf } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { parseInput } from '../edge/violations.ts';
import { byInstant, mapPage, readPage, wholePage } from '../paging.ts';
import { findGraph, type GraphRead } from '../graph.ts';
import { found, resolveId } from '../resolve.ts';
import { artifactView } from '../views/attempt.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { dependencyView, runView } from '../views/run.ts';
import { taskView } from '../views/task.ts';
import { checkSubmission } from './check-submission.ts';
import { answerEvents } from './events.ts';
import { readRunLogPage } from './log-pages.ts';
import { untilWritten } from './until-written.ts';

type Names =
  | 'createRun'
  | 'validateRun'
  | 'listRuns'
  | 'getRun'
  | 'getRunGraph'
  | 'explainRun'
  | 'cancelRun'
  | 'replanRun'
  | 'listRunEvents'
  | 'listRunCheckpoints'
  | 'openRunCheckpoint'
  | 'updateRun'
  | 'listRunArtifacts'
  | 'readRunLogs';

/** Handlers of the area `runs`. */
export function runHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads } = app;

  async function graphOf(project: string, id: string) {
    return graphView(found(await findGraph(app.db, project, id), 'run', id));
  }

  return {
    async createRun(call) {
      const reply = await coordinator.submit(
        {
          type: 'run.create',
          project: call.project,
          actor: actorOf(call.principal),
          body: await readySubmission(app, call.project, call.body),
        },
        { idempotency: call.idempotency },
      );
      const id = reply.run ?? '';
      await untilWritten(app, call, id);
      const notices = Object.entries(overAsked(call.body.policy)).map(
        ([name, { asked, given }]) =>
          `policy.limits.${name} was lowered from ${asked} to ${given}; more is not possible.`,
      );
      return { ...(await graphOf(call.project, id)), ...(notices.length === 0 ? {} : { notices }) };
    },

    async replanRun(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      await coordinator.submit(
        {
          type: 'run.replan',
          project: call.project,
          actor: actorOf(call.principal),
          run: id,
          body: { ...call.body, plan: await readyPlan(app, call.project, call.body.plan) },
        },
        { idempotency: call.idempotency },
      );
      return graphOf(call.project, id);
    },

    async validateRun(call) {
      const body = await readySubmission(app, call.project, call.body);
      return checkSubmission(app, call.project, actorOf(call.principal), body);
    },

    async listRuns(call) {
      const { limit, cursor, ...filter } = call.query;
      const page = await readPage(
        { limit, cursor, filter: ['runs', call.project, filter] },
        byInstant,
        (count, after) => reads.listRuns(call.project, filter, count, after),
        ({ run }) => ({ atMs: run.createdAtMs, id: run.id }),
      );
      return mapPage(page, runView);
    },

    async getRun(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      return runView(found(await reads.findRun(call.project, id), 'run', id));
    },

    async getRunGraph(call) {
      return graphOf(call.project, await resolveId(reads, 'runs', call.project, call.params.id));
    },

    async explainRun(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      return explainRun(await graphOf(call.project, id));
    },

    async cancelRun(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      await coordinator.submit(
        {
          type: 'run.cancel',
          project: call.project,
          actor: actorOf(call.principal),
          run: id,
          reason: call.body.reason ?? null,
        },
        { idempotency: call.idempotency },
      );
      return runView(found(await reads.findRun(call.project, id), 'run', id));
    },

    async listRunEvents(call) {
      const run = await resolveId(reads, 'runs', call.project, call.params.id);
      return answerEvents(app, call, { project: call.project, run });
    },

    async listRunCheckpoints(call) {
      const run = await resolveId(reads, 'runs', call.project, call.params.id);
      return wholePage((await reads.checkpointsOfRun(run)).map(checkpointView));
    },

    async openRunCheckpoint(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      const reply = await coordinator.submit(
        {
          type: 'run.checkpoint',
          project: call.project,
          actor: actorOf(call.principal),
          run: id,
          body: call.body,
        },
        { idempotency: call.idempotency },
      );
      const checkpoint = reply.checkpoint ?? '';
      const read = await reads.findCheckpoint(call.project, checkpoint);
      return checkpointView(found(read, 'checkpoint', checkpoint));
    },

    async updateRun(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      await coordinator.submit(
        {
          type: 'run.update',
          project: call.project,
          actor: actorOf(call.principal),
          run: id,
          body: call.body,
        },
        { idempotency: call.idempotency },
      );
      return runView(found(await reads.findRun(call.project, id), 'run', call.params.id));
    },

    async listRunArtifacts(call) {
      const run = await resolveId(reads, 'runs', call.project, call.params.id);
      return wholePage((await reads.artifactsOfRun(run)).map(artifactView));
    },

    async readRunLogs(call) {
      const id = await resolveId(reads, 'runs', call.project, call.params.id);
      const { run } = found(await reads.findRun(call.project, id), 'run', id);
      return readRunLogPage(app, run, call.query);
    },
  };
}

/** A run with its graph as clients see it. */
export function graphView(graph: GraphRead) {
  return {
    run: runView(graph.run),
    tasks: graph.tasks.map(taskView),
    dependencies: graph.edges.map(dependencyView),
    cursor: graph.cursor,
  };
}

const soleTask = planTask.omit({ key: true });

/** Checks what the schema of the body leaves open, and turns ids of tasks into stored ones. */
async function readySubmission(app: App, project: string, body: RunCreate): Promise<RunCreate> {
  const stored = async (id: string): Promise<string> => resolveId(app.reads, 'tasks', project, id);
  if (body.task !== undefined) {
    // Only checked here: what is left out must stay so, because the goal fills it in.
    const { parent_task: parent } = parseInput(soleTask, body.task, 'task');
    if (parent === undefined) return body;
    return { ...body, task: { ...body.task, parent_task: await stored(parent) } };
  }
  if (typeof body.plan !== 'object') return body;
  return { ...body, plan: await readyPlan(app, project, body.plan) };
}

/** A plan with the ids of tasks that it names turned into stored ones. */
async function readyPlan(app: App, project: string, plan: Plan): Promise<Plan> {
  const tasks = [];
  for (const task of plan.tasks) {
    const parent = task.parent_task;
    tasks.push(
      parent === undefined
        ? task
        : { ...task, parent_task: await resolveId(app.reads, 'tasks', project, parent) },
    );
  }
  return { ...plan, tasks };
}
