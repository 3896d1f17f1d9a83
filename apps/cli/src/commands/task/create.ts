import { PRIORITIES, ROLES, TASK_KINDS, type TaskCreateInput } from '@baton/contract';
import { command, optional } from '../../command.ts';
import { given } from '../../given.ts';
import { choice, commaTexts, flag, numeric, pairs, text, texts, usage } from '../../option.ts';
import { resolveRepo } from '../../plan/compile-workflow.ts';
import { readText } from '../../resolve/read-text.ts';
import { resolveRun, resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskCreate = command({
  name: ['task', 'create'],
  summary: 'create one task',
  details:
    'It joins the run of what it depends on, else the one named with --run, else it opens a run of one.',
  examples: [
    'baton task create "Fix the failing test" --repo . --engine claude',
    'baton task create --title "Docs" --spec @task.md --depends-on design',
  ],
  arguments: { spec: optional('what to do; @file or - for standard input') },
  options: {
    title: text('--title <text>', 'short name for people'),
    spec: text('--spec <text>', 'what to do; the same as the argument'),
    id: text('--id <id>', 'an id of your own, unique in the project'),
    key: text('--key <key>', 'name inside its run'),
    run: text('--run <run>', 'run to join'),
    parent: text('--parent <task>', 'task that it is a part of; no dependency'),
    kind: choice('--kind <kind>', 'kind', TASK_KINDS),
    role: choice('--role <role>', 'role', ROLES),
    engine: text('--engine <name>', 'engine that does it'),
    model: text('--model <name>', 'model of the engine'),
    fallbackEngine: text('--fallback-engine <name>', 'engine while a provider refuses that one'),
    worker: text('--worker <name>', 'only this worker may take it'),
    concurrency: commaTexts('--concurrency <keys>', 'keys of limits that it counts under'),
    budget: text('--budget <usd>', 'dollars that it may spend'),
    repo: text('--repo <repo>', 'path, URL or name of a repository'),
    ref: text('--ref <ref>', "branch, tag or commit to start from; default: the repository's HEAD"),
    dependsOn: commaTexts(
      '--depends-on <tasks>',
      'tasks that must be done first; TASK:OUTPUT for its data',
    ),
    output: texts('--output <key[:type]>', 'contract that it hands on'),
    priority: choice('--priority <name>', 'priority', PRIORITIES),
    label: pairs('--label <k=v>', 'label'),
    env: pairs('--env <k=v>', 'variable for the agent'),
    hold: flag('--hold', 'stays ready until somebody assigns it'),
    requireApproval: flag('--require-approval', 'asks a person before it starts'),
    requirePlan: flag('--require-plan', 'asks a person to approve its plan'),
    retries: numeric('--retries <number>', 'times to try again', { min: 0, max: 99 }),
    timeout: numeric('--timeout <seconds>', 'at most so long', { min: 1 }),
  },
  async run(context, args, options) {
    const { client, cwd, input } = context;
    const written = args.spec ?? options.spec;
    if (args.spec !== undefined && options.spec !== undefined) {
      throw usage('Give the spec once: as the argument or with --spec.');
    }
    if (written === undefined && options.title === undefined) {
      throw usage('Say what to do: baton task create "..." (or --title).');
    }
    const body: TaskCreateInput = {
      ...given({
        title: options.title,
        id: options.id,
        key: options.key,
        kind: options.kind,
        role: options.role,
        priority: options.priority,
        run: options.run === undefined ? undefined : await resolveRun(client(), options.run),
        parent_task:
          options.parent === undefined ? undefined : await resolveTask(client(), options.parent),
      }),
      spec: written === undefined ? (options.title ?? '') : await readText(written, cwd, input),
      needs: given({
        engine: options.engine,
        fallback_engine: options.fallbackEngine,
        model: options.model,
        worker: options.worker,
      }),
      ...(options.concurrency.length === 0 ? {} : { concurrency: [...options.concurrency] }),
      ...(options.budget === undefined ? {} : { budgets: { usd: options.budget } }),
      ...(options.repo === undefined
        ? {}
        : { workspace: given({ repo: resolveRepo(options.repo, cwd), ref: options.ref }) }),
      outputs: options.output.map(outputOf),
      labels: { ...options.label },
      env: { ...options.env },
      dispatch: options.hold ? 'manual' : 'auto',
      ...(options.requireApproval || options.requirePlan
        ? { approval: { dispatch: options.requireApproval, plan: options.requirePlan } }
        : {}),
      ...(options.retries === undefined ? {} : { retry: { max_attempts: options.retries + 1 } }),
      ...(options.timeout === undefined ? {} : { timeouts: { run: options.timeout } }),
      depends_on: await Promise.all(
        options.dependsOn.map(async (it) => {
          const [task = '', contract] = it.split(':');
          const upstream = await resolveTask(client(), task);
          return contract === undefined
            ? upstream
            : { task: upstream, type: 'input' as const, contract_key: contract };
        }),
      ),
    };
    const made = await client().tasks.create(body);
    return {
      json: made,
      text: show`${made.id} ${made.key} is ${statusText(made.status)} in ${made.run}`,
    };
  },
});

function outputOf(text: string): NonNullable<TaskCreateInput['outputs']>[number] {
  const [key = '', type] = text.split(':');
  // The server knows the types and names them when this is none.
  return (type === undefined ? { key } : { key, type }) as { key: string };
}
