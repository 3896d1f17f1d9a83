import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  API_BASE,
  isTerminalRun,
  isTerminalTask,
  ROUTES,
  type Checkpoint,
  type CheckpointResolve,
  type Route,
  type RouteName,
  type Run,
  type Task,
} from '@baton/contract';
import { explain } from './mock-explain.ts';
import { bodyOf, parse, Refused, send, sendProblem, type Call } from './mock-http.ts';
import { streamEvents, streamLogs } from './mock-streams.ts';
import { at, type World } from './world.ts';

const COOKIE = 'baton_mock=1';
/** The code that logs in, as often as wanted. Every other one is refused. */
export const LOGIN_CODE = 'letmein';

type Handler = (call: Call) => unknown;

/**
 * The part of the API that the pages use, over a world in memory. Answers are checked by the
 * contract's own schemas, so that the pages are never shown what no server would send.
 */
export function createMockApi(world: World) {
  const handlers: Partial<Record<RouteName, Handler>> = {
    ...readHandlers(world),
    ...writeHandlers(world),
  };
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (!url.pathname.startsWith(API_BASE)) return false;
    const found = match(request.method ?? 'GET', url.pathname.slice(API_BASE.length));
    try {
      if (found === undefined) throw new Refused('not_found', `No such endpoint: ${url.pathname}.`);
      const [name, params] = found;
      const isOpen = ROUTES[name].permission === 'public';
      if (!isOpen && request.headers.cookie?.includes(COOKIE) !== true) {
        throw new Refused('unauthenticated', 'Log in first: run `baton login`.');
      }
      const body = parse(await bodyOf(request));
      const answer = await handlers[name]?.({
        params,
        query: url.searchParams,
        body,
        request,
        response,
      });
      if (handlers[name] === undefined)
        throw new Refused('not_supported', `The mock has no ${name}.`);
      if (!response.writableEnded && !response.headersSent) send(response, ROUTES[name], answer);
    } catch (error) {
      sendProblem(response, error);
    }
    return true;
  };
}

function match(method: string, path: string): [RouteName, Record<string, string>] | undefined {
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    if (route.method !== method || route.root === true) continue;
    const pattern = new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    const found = pattern.exec(path);
    if (found === null) continue;
    const params = Object.entries(found.groups ?? {}).map(([key, value]) => [
      key,
      decodeURIComponent(value),
    ]);
    return [name, Object.fromEntries(params) as Record<string, string>];
  }
  return undefined;
}

function readHandlers(world: World): Partial<Record<RouteName, Handler>> {
  const task = (call: Call): Task => need(world.tasks.get(call.params['id'] ?? ''), 'task');
  return {
    me: () => ({
      kind: 'user',
      id: 'usr_1',
      name: 'owner',
      project: world.project,
      scopes: ['read', 'run', 'operate', 'approve', 'admin'],
      server_version: '0.1.0',
    }),
    listRuns: ({ query }) => {
      const status = query.get('status')?.split(',');
      const text = query.get('text')?.toLowerCase() ?? '';
      const items = [...world.runs.keys()]
        .map((run) => runView(world, run))
        .filter(
          (run) =>
            (status === undefined || status.includes(run.status)) &&
            `${run.goal} ${run.id}`.toLowerCase().includes(text),
        )
        .toReversed();
      const from = Number(query.get('cursor') ?? 0);
      const limit = Number(query.get('limit') ?? 50);
      return {
        items: items.slice(from, from + limit),
        next_cursor: from + limit < items.length ? String(from + limit) : null,
      };
    },
    getRun: ({ params }) => runView(world, params['id'] ?? ''),
    getRunGraph: ({ params }) => {
      const run = runView(world, params['id'] ?? '');
      return {
        run,
        tasks: tasksOf(world, run.id),
        dependencies: world.edges.filter((edge) => edge.run === run.id),
        cursor: `1.${world.events.length}`,
      };
    },
    listRunEvents: ({ params }) => ({
      items: world.events.filter(({ run }) => run === params['id']),
      next_cursor: null,
    }),
    listEvents: (call) => streamEvents(world, call),
    listCheckpoints: () => ({
      items: [...world.checkpoints.values()]
        .filter(({ status }) => status === 'open')
        .map((item) => ({
          ...item,
          holds_up: world.edges.filter(({ upstream }) => upstream === item.task).length,
        })),
      next_cursor: null,
    }),
    getTask: (call) => {
      const it = task(call);
      return {
        ...it,
        inputs: inputsOf(world, it),
        outputs: world.outputs.get(it.id) ?? [],
        dependencies: world.edges.filter(({ downstream }) => downstream === it.id),
        dependents: world.edges.filter(({ upstream }) => upstream === it.id),
        plan: null,
        open_checkpoints: [...world.checkpoints.values()].filter(
          (point) => point.task === it.id && point.status === 'open',
        ),
      };
    },
    listAttempts: (call) => {
      const it = task(call);
      const items = [...world.attempts.values()]
        .filter((attempt) => attempt.task === it.id)
        .toReversed();
      return { items, next_cursor: null };
    },
    listTaskArtifacts: (call) => ({ items: artifactsOf(world, task(call)), next_cursor: null }),
    explainTask: (call) => explain(world, task(call)),
    getTaskDiff: (call) => {
      const diff = need(world.diffs.get(task(call).id), 'patch');
      call.response.writeHead(200, { 'content-type': 'text/x-diff' }).end(diff);
    },
    streamTaskLogs: (call) => streamLogs(world, task(call), call),
  };
}

function writeHandlers(world: World): Partial<Record<RouteName, Handler>> {
  return {
    login: ({ body, response }) => {
      if ((body as { code?: string }).code !== LOGIN_CODE) {
        throw new Refused(
          'login_code_invalid',
          'This login link was used or has expired. Run `baton login` for a new one.',
        );
      }
      response.setHeader('set-cookie', `${COOKIE}; HttpOnly; SameSite=Strict; Path=/`);
      return { user: 'usr_1', project: world.project };
    },
    logout: ({ response }) => {
      response.writeHead(204, { 'set-cookie': `${COOKIE}; Max-Age=0; Path=/` }).end();
    },
    resolveCheckpoint: ({ params, body }) =>
      decide(
        world,
        need(world.checkpoints.get(params['id'] ?? ''), 'checkpoint'),
        body as CheckpointResolve,
      ),
    cancelRun: ({ params, body }) => cancelRun(world, params['id'] ?? '', reasonOf(body)),
    cancelTask: ({ params, body }) => {
      const it = need(world.tasks.get(params['id'] ?? ''), 'task');
      if (isTerminalTask(it.status))
        throw new Refused('wrong_status', `The task is ${it.status} already.`);
      return change(
        world,
        it,
        { status: 'cancelled', reason: reasonOf(body), ended_at: at(0) },
        'task.cancelled',
      );
    },
    pauseRun: ({ params }) => setRun(world, params['id'] ?? '', 'paused', 'run.paused'),
    resumeRun: ({ params }) => setRun(world, params['id'] ?? '', 'running', 'run.resumed'),
    pauseTask: ({ params, body }) => {
      const it = need(world.tasks.get(params['id'] ?? ''), 'task');
      if (isTerminalTask(it.status))
        throw new Refused('wrong_status', `The task is ${it.status} already.`);
      return change(world, it, { status: 'paused', reason: reasonOf(body) }, 'task.paused');
    },
    resumeTask: ({ params }) => {
      const it = need(world.tasks.get(params['id'] ?? ''), 'task');
      if (it.status !== 'paused')
        throw new Refused('wrong_status', `The task is ${it.status}, not paused.`);
      return change(world, it, { status: 'ready', reason: null }, 'task.resumed');
    },
    relaunchTask: ({ params }) => {
      const it = need(world.tasks.get(params['id'] ?? ''), 'task');
      const fields = { status: 'ready', reason: null, ended_at: null, result: null } as const;
      return change(world, it, { ...fields, generation: it.generation + 1 }, 'task.relaunched');
    },
    retryTask: ({ params, body }) => {
      const it = need(world.tasks.get(params['id'] ?? ''), 'task');
      if (!isTerminalTask(it.status))
        throw new Refused(
          'wrong_status',
          `Only an ended task can run again; this one is ${it.status}.`,
        );
      return change(
        world,
        it,
        { status: 'ready', reason: reasonOf(body), ended_at: null },
        'task.ready',
      );
    },
  };
}

/** Changes a task and tells. */
export function change(
  world: World,
  task: Task,
  fields: Partial<Task>,
  type: Parameters<World['emit']>[0],
): Task {
  const changed = { ...task, ...fields, updated_at: at(0) };
  world.tasks.set(task.id, changed);
  const { reason, worker_name: worker } = changed;
  world.emit(type, task.run, task.id, {
    ...(reason === null ? {} : { reason }),
    ...(worker === null ? {} : { worker_name: worker }),
    ...(type === 'task.progressed'
      ? { percent: changed.progress?.percent ?? null, text: changed.progress?.text ?? '' }
      : {}),
  });
  return changed;
}

function decide(world: World, point: Checkpoint, body: CheckpointResolve): Checkpoint {
  if (point.status !== 'open') {
    throw new Refused(
      'checkpoint_closed',
      `Already answered: ${point.resolution?.option ?? point.resolution?.text ?? ''} by ${point.resolution?.by ?? 'somebody'}.`,
    );
  }
  if (body.option !== undefined && !point.options.includes(body.option)) {
    throw new Refused('invalid_option', `Options are ${point.options.join(', ')}.`);
  }
  const resolution = {
    ...(body.option === undefined ? {} : { option: body.option }),
    ...(body.text === undefined ? {} : { text: body.text }),
    reason: body.reason ?? null,
    by: 'owner',
    via: body.via ?? 'api',
    at: at(0),
  };
  const closed: Checkpoint = { ...point, status: 'resolved', resolution, closed_at: at(0) };
  world.checkpoints.set(point.id, closed);
  world.emit('checkpoint.resolved', point.run, point.task, { resolution });
  const task = point.task === null ? undefined : world.tasks.get(point.task);
  if (task === undefined) return closed;
  if (body.option === 'reject') {
    change(
      world,
      task,
      { status: 'cancelled', needs_human: false, reason: resolution.reason, ended_at: at(0) },
      'task.cancelled',
    );
  } else if (point.kind === 'dispatch_approval') {
    change(world, task, { status: 'ready', needs_human: false }, 'task.ready');
  } else {
    change(world, task, { status: 'running', needs_human: false }, 'task.resumed');
  }
  return closed;
}

function setRun(
  world: World,
  id: string,
  status: Run['status'],
  told: 'run.paused' | 'run.resumed',
): Run {
  const run = { ...need(world.runs.get(id), 'run'), status, updated_at: at(0) };
  world.runs.set(id, run);
  world.emit(told, id, null, {});
  return run;
}

function cancelRun(world: World, id: string, reason: string | null): Run {
  const run = need(world.runs.get(id), 'run');
  if (isTerminalRun(run.status))
    throw new Refused('wrong_status', `The run is ${run.status} already.`);
  world.runs.set(id, { ...run, status: 'cancelled', reason, ended_at: at(0), updated_at: at(0) });
  for (const task of tasksOf(world, id)) {
    if (!isTerminalTask(task.status))
      change(world, task, { status: 'cancelled', reason, ended_at: at(0) }, 'task.cancelled');
  }
  world.emit('run.cancelled', id, null, reason === null ? {} : { reason });
  return runView(world, id);
}

function runView(world: World, id: string): Run {
  const run = need(world.runs.get(id), 'run');
  const tasks = tasksOf(world, id);
  const counts: Run['tasks_by_status'] = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  const open = [...world.checkpoints.values()].filter(
    (point) => point.run === id && point.status === 'open',
  );
  return { ...run, tasks_by_status: counts, task_count: tasks.length, needs_human: open.length };
}

function tasksOf(world: World, run: string): Task[] {
  return [...world.tasks.values()].filter((task) => task.run === run);
}

function inputsOf(world: World, task: Task) {
  const entries = world.edges
    .filter(({ downstream, type }) => downstream === task.id && type === 'input')
    .map((edge) => [edge.as ?? '', world.outputs.get(edge.upstream)?.[0]?.data ?? null]);
  return Object.fromEntries(entries) as Record<string, never>;
}

function artifactsOf(world: World, task: Task) {
  const diff = world.diffs.get(task.id);
  if (diff === undefined || task.attempt === null) return [];
  return [
    {
      id: 'art_1',
      task: task.id,
      run: task.run,
      attempt: task.attempt,
      name: `${task.key}.patch`,
      kind: 'patch',
      media_type: 'text/x-diff',
      size: diff.length,
      sha256: 'a'.repeat(64),
      meta: {},
      created_at: at(0),
    },
  ];
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Refused('not_found', `There is no such ${what}.`);
  return value;
}

function reasonOf(body: unknown): string | null {
  return (body as { reason?: string } | undefined)?.reason ?? null;
}
