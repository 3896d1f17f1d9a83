import { PRIORITIES, ROLES, TASK_KINDS, type TaskCreateInput } from '@baton/contract';
import { getDoor } from '../../attempt/door.ts';
import { command, required } from '../../command.ts';
import { given } from '../../given.ts';
import { choice, commaTexts, flag, numeric, pairs, text, texts } from '../../option.ts';
import { resolveRepo } from '../../plan/compile-workflow.ts';
import { readText } from '../../resolve/read-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskSpawn = command({
  name: ['task', 'spawn'],
  summary: 'hand work on: a child of the own task, for an agent inside its attempt',
  details: [
    'The child is of the same run and has no edge to your task; it takes over your engine and repository',
    'where you name none, and never more rights than you have. With --id or --key, what is sent again is',
    'the same child, or its next try. Await it: baton task await.',
  ].join(' '),
  examples: [
    'baton task spawn "Write the tests for src/api.ts" --key tests',
    'baton task spawn @part.md --engine codex --output report:json',
  ],
  arguments: { spec: required('what to do; @file or - for standard input') },
  options: {
    title: text('--title <text>', 'short name for people'),
    id: text('--id <id>', 'an id of your own: sent again it is the same child'),
    key: text('--key <key>', 'name inside its run; a second try gets a number behind it'),
    kind: choice('--kind <kind>', 'kind', TASK_KINDS),
    role: choice('--role <role>', 'role', ROLES),
    engine: text('--engine <name>', 'engine that does it'),
    model: text('--model <name>', 'model of the engine'),
    repo: text('--repo <repo>', 'path, URL or name of a repository'),
    ref: text('--ref <ref>', 'branch, tag or commit to start from'),
    scratch: flag('--scratch', 'in an empty directory, not in your repository'),
    dependsOn: commaTexts('--depends-on <tasks>', 'children that must be done first; TASK:OUTPUT'),
    output: texts('--output <key[:type]>', 'contract that it hands on'),
    priority: choice('--priority <name>', 'priority', PRIORITIES),
    label: pairs('--label <k=v>', 'label'),
    retries: numeric('--retries <number>', 'times to try again', { min: 0, max: 99 }),
    timeout: numeric('--timeout <seconds>', 'at most so long', { min: 1 }),
    force: flag('--force', 'although the same failed, or succeeded, just now; this is logged'),
  },
  async run(context, { spec }, options) {
    const door = getDoor(context, '`baton task spawn`');
    const { cwd, input } = context;
    const body: TaskCreateInput = {
      ...given({
        title: options.title,
        id: options.id,
        key: options.key,
        kind: options.kind,
        role: options.role,
        priority: options.priority,
      }),
      spec: await readText(spec, cwd, input),
      needs: given({ engine: options.engine, model: options.model }),
      ...workspaceOf(options, cwd),
      outputs: options.output.map(outputOf),
      labels: { ...options.label },
      ...(options.retries === undefined ? {} : { retry: { max_attempts: options.retries + 1 } }),
      ...(options.timeout === undefined ? {} : { timeouts: { run: options.timeout } }),
      ...(options.force ? { force: true } : {}),
      depends_on: options.dependsOn.map((it) => {
        const [task = '', contract] = it.split(':');
        return contract === undefined
          ? task
          : { task, type: 'input' as const, contract_key: contract };
      }),
    };
    const { state, body: made } = await door.spawn(body);
    if (state === 'pending') {
      const text = show`Kept; it is made as soon as the control plane can be reached.`;
      return { json: { state }, text };
    }
    const { id, key } = made as { readonly id: string; readonly key: string };
    return { json: made, text: show`${id} ${key}` };
  },
});

interface Place {
  readonly repo: string | undefined;
  readonly ref: string | undefined;
  readonly scratch: boolean;
}

function workspaceOf(
  { repo, ref, scratch }: Place,
  cwd: string,
): Pick<TaskCreateInput, 'workspace'> {
  if (scratch) return { workspace: { mode: 'scratch' } };
  if (repo === undefined) return {};
  return { workspace: given({ repo: resolveRepo(repo, cwd), ref }) };
}

function outputOf(text: string): NonNullable<TaskCreateInput['outputs']>[number] {
  const [key = '', type] = text.split(':');
  // The server knows the types and names them when this is none.
  return (type === undefined ? { key } : { key, type }) as { key: string };
}
