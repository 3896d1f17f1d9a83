import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, DELIVERIES, nearestName, type RunCreateInput } from '@baton/contract';
import { command, rest, type Answer } from '../../command.ts';
import type { Context } from '../../context.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { given } from '../../given.ts';
import { choice, flag, pairs, text, usage } from '../../option.ts';
import { resolveRepo } from '../../plan/compile-workflow.ts';
import { readWorkflow } from '../../plan/read-workflow.ts';
import { paint, show, stack, type Shown } from '../../terminal/shown.ts';
import { statusText } from '../../terminal/status-text.ts';
import { uncoveredLine, validationPage } from '../../views/validation-view.ts';
import { showRun } from '../../watch/show-run.ts';

const VERBS = [
  'list',
  'view',
  'watch',
  'pause',
  'resume',
  'cancel',
  'replan',
  'rerun',
  'delete',
  'purge',
  'validate',
];

export const run = command({
  name: ['run'],
  summary: 'start a run: of a goal, or of a plan',
  examples: [
    'baton run "Fix the failing test" --repo . --engine claude --watch',
    'baton run --plan baton.yaml --param issue=12 --watch',
    'baton run --plan baton.yaml --dry-run',
  ],
  arguments: { goal: rest('what to reach; without a plan it is one task for one agent') },
  options: {
    goal: text('--goal <text>', 'the same, for a goal of a single word'),
    plan: text('--plan <file>', 'a plan, such as baton.yaml; none: one task (default)'),
    param: pairs('--param <k=v>', 'value of a parameter of the plan'),
    repo: text('--repo <repo>', 'path, URL or name of the repository, where a task names none'),
    ref: text('--ref <ref>', "branch, tag or commit to start from; default: the repository's HEAD"),
    engine: text('--engine <name>', 'engine, where a task names none'),
    model: text('--model <name>', 'model of the engine (without a plan)'),
    worker: text('--worker <name>', 'only this worker may take it (without a plan)'),
    deliver: choice('--deliver <how>', 'where the result goes', DELIVERIES),
    label: pairs('--label <k=v>', 'label of the run'),
    budget: text('--budget <usd>', 'dollars that it may spend'),
    watch: flag('-w, --watch', 'show it to its end; exit 0 only if it is completed'),
    dryRun: flag('--dry-run', 'check it without starting anything'),
  },
  async run(context, { goal: words }, options): Promise<Answer> {
    const body = bodyOf(context, goalOf(words, options.goal, options.plan), options);
    const { client, config, isJson } = context;
    if (options.dryRun) {
      const checked = await client().runs.validate(body);
      return {
        json: checked,
        text: validationPage(checked),
        exitCode: checked.ok ? EXIT_CODES.ok.code : EXIT_CODES.refused.code,
      };
    }
    const made = await client().runs.create(body);
    const url = `${config.target.url}/runs/${made.run.id}`;
    const uncovered = isJson ? undefined : await uncoveredNote(context, body);
    if (!options.watch) {
      return {
        json: made,
        text: stack(
          show`${paint.bold(made.run.id)} ${statusText(made.run.status)}, ${made.tasks.length === 1 ? 'one task' : `${made.tasks.length} tasks`}`,
          ...(made.notices ?? []).map((it) => show`${paint.yellow(it)}`),
          show`${paint.dim('look')} baton run view ${made.run.id}   ${url}`,
          uncovered,
        ),
      };
    }
    if (!isJson) context.out.line(show`${paint.bold(made.run.id)} ${paint.dim(url)}`);
    if (uncovered !== undefined) context.out.line(uncovered);
    return showRun(context, made.run.id);
  },
});

/** A run that nobody can take stays where it is: said at once, not left to be found out. */
async function uncoveredNote(
  { client }: Context,
  body: RunCreateInput,
): Promise<Shown | undefined> {
  const checked = await client()
    .runs.validate(body)
    .catch(() => undefined);
  return checked === undefined ? undefined : uncoveredLine(checked);
}

interface Options {
  readonly plan: string | undefined;
  readonly param: Readonly<Record<string, string>>;
  readonly repo: string | undefined;
  readonly ref: string | undefined;
  readonly engine: string | undefined;
  readonly model: string | undefined;
  readonly worker: string | undefined;
  readonly deliver: RunCreateInput['deliver'] | undefined;
  readonly label: Readonly<Record<string, string>>;
  readonly budget: string | undefined;
}

/** A single word is more often a mistyped verb than a goal. */
function goalOf(
  words: readonly string[],
  option: string | undefined,
  plan: string | undefined,
): string | undefined {
  const [only] = words;
  if (option !== undefined && only !== undefined) throw usage('Give the goal once.');
  if (option !== undefined) return option;
  if (only !== undefined && words.length === 1 && /^\S+$/.test(only)) {
    const meant = nearestName(only, VERBS);
    const hint = meant === undefined ? '' : `Did you mean \`baton run ${meant}\`? `;
    throw usage(`${hint}For a goal of one word say --goal ${only}.`);
  }
  if (only === undefined && (plan === undefined || plan === 'none' || plan === 'auto')) {
    throw usage('Say the goal, or give a plan: baton run "..." or baton run --plan baton.yaml.');
  }
  return only === undefined ? undefined : words.join(' ');
}

function bodyOf(context: Context, goal: string | undefined, options: Options): RunCreateInput {
  const { cwd } = context;
  const repo = options.repo === undefined ? undefined : resolveRepo(options.repo, cwd);
  if (repo !== undefined) requireRepo(repo);
  const { plan, deliver } = options;
  const isFile = plan !== undefined && plan !== 'none' && plan !== 'auto';
  const labels = Object.keys(options.label).length === 0 ? {} : { labels: { ...options.label } };
  const budgets = options.budget === undefined ? {} : { budgets: { usd: options.budget } };
  if (isFile) {
    const file = readWorkflow(resolve(cwd, plan), {
      params: options.param,
      engine: options.engine,
      repo,
      deliver,
      goal,
    });
    return { ...file, ...labels, ...budgets };
  }
  if (Object.keys(options.param).length > 0)
    throw usage('--param is for a plan file: --plan FILE.');
  const needs = given({ engine: options.engine, model: options.model, worker: options.worker });
  const workspace = given({ repo, ref: options.ref });
  return {
    goal: goal ?? '',
    plan: plan === 'auto' ? 'auto' : 'none',
    task: {
      ...(Object.keys(needs).length === 0 ? {} : { needs }),
      ...(Object.keys(workspace).length === 0 ? {} : { workspace }),
    },
    ...(deliver === undefined ? {} : { deliver }),
    ...labels,
    ...budgets,
  };
}

/** A path is of this machine: one that is not there, or no repository, is told before anything runs. */
function requireRepo(repo: string): void {
  if (!repo.startsWith('/')) return;
  if (existsSync(join(repo, '.git')) || existsSync(join(repo, 'HEAD'))) return;
  const what = existsSync(repo) ? 'is not a git repository' : 'does not exist';
  throw new AppError(
    'repo_not_found',
    `${repo} ${what}. Give the root of a clone, a URL, or the name of a repository a worker has.`,
  );
}
