import { AppError, problem } from '@baton/contract';
import { problemOf } from '@baton/sdk';
import { Command as Program, CommanderError, Option } from 'commander';
import { argumentWords, sentenceOf, type Answer, type Command } from './command.ts';
import { COMMANDS } from './commands/table.ts';
import { readConfig, type ConfigFlags, type Env } from './config.ts';
import type { Context } from './context.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import { usage } from './option.ts';
import { startActivity } from './terminal/activity.ts';
import { createOutput, type Output, type OutputStream } from './terminal/output.ts';
import { block, paint, show, stack } from './terminal/shown.ts';

/** The process around the program; tests hand in their own. */
export interface World extends Pick<Context, 'input' | 'signal' | 'cwd' | 'nowMs' | 'openBrowser'> {
  readonly env: Env;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly version: string;
  client(config: Context['config']): ReturnType<Context['client']>;
}

/** Runs one command line (without node and script) and resolves with its exit code. Never rejects. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  let exitCode: number = EXIT_CODES.ok.code;
  const program = createProgram(world, async (command, words, raw) => {
    exitCode = await dispatch(command, words, raw, world);
  });
  try {
    await program.parseAsync(helpAtEnd(argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return commanderExit(error, argv, world);
    }
    return report(error, argv.includes('--json'), world);
  }
}

/** `help task explain` is `task explain --help`: commander's own help knows one word. */
function helpAtEnd(argv: readonly string[]): string[] {
  if (argv.length === 0) return ['--help'];
  const [first, ...words] = argv;
  if (first === 'version' && words.length === 0) return ['--version'];
  return first === 'help' && words.length > 0 ? [...words, '--help'] : [...argv];
}

type Found = (
  command: Command,
  words: readonly string[],
  raw: Readonly<Record<string, unknown>>,
) => Promise<void>;

/** Flags that every command takes. */
const SHARED = [
  new Option('--json', 'answers and errors as JSON'),
  new Option('--url <url>', 'control plane to talk to'),
  new Option('--api-key <key>', 'key to talk with'),
  new Option('--project <id>', 'project, where the key has several'),
  new Option('--data-dir <dir>', 'data directory of this machine'),
] as const;

/** The tree of commands, for parsing and for the reference page. */
export function createProgram(world: Pick<World, 'stdout' | 'stderr' | 'version'>, found: Found) {
  const program = new Program('baton')
    .description('A control tower for fleets of AI agents.')
    .version(world.version, '-V, --version')
    .helpCommand('help [command]', 'help on a command')
    .showSuggestionAfterError()
    .exitOverride()
    // What stands behind a verb belongs to it, also where its group takes the same flag.
    .enablePositionalOptions()
    .configureHelp({
      subcommandTerm: (it) =>
        `${it.name()} ${it.usage().replace(/ ?\[(?:options|command)\]/g, '')}`,
    })
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // Faults are said by `report`, in the form that the user asked for.
      outputError: () => undefined,
    });
  for (const command of COMMANDS) addCommand(program, command, found);
  return program;
}

function addCommand(program: Program, command: Command, found: Found): void {
  const parent = groupOf(program, command.name.slice(0, -1));
  const rows = Object.entries(command.arguments);
  const name = command.name.at(-1) ?? '';
  const existing = parent.commands.find((it) => it.name() === name);
  const leaf = existing ?? parent.command(name);
  leaf
    .summary(command.summary)
    .description(describe(command))
    .enablePositionalOptions()
    .allowExcessArguments(true)
    .exitOverride();
  if (command.examples.length > 0) {
    leaf.addHelpText('after', `\nExamples:\n${command.examples.map((it) => `  ${it}`).join('\n')}`);
  }
  leaf.usage([...argumentWords(command), '[options]'].join(' '));
  // All optional for commander: `--id` may stand for the first one, so `wordsOf` looks itself.
  for (const [key, row] of rows)
    leaf.argument(row.kind === 'rest' ? `[${key}...]` : `[${key}]`, row.help);
  for (const { flags, help, kind } of Object.values(command.options)) {
    const option = new Option(flags, help);
    if (kind === 'many') option.argParser(appended);
    if (help === '') option.hideHelp();
    leaf.addOption(option);
  }
  const own = new Set(leaf.options.map((option) => option.long));
  for (const option of SHARED) if (!own.has(option.long)) leaf.addOption(option);
  if (rows[0]?.[1].isId === true && !own.has('--id')) {
    leaf.addOption(new Option('--id <id>', 'the same as the first argument').hideHelp());
  }
  leaf.action(async () => found(command, leaf.args, leaf.opts()));
}

function appended(value: string, all: readonly string[] | undefined): readonly string[] {
  return [...(all ?? []), value];
}

/** The command that holds others, made when its first one comes. */
function groupOf(program: Program, path: readonly string[]): Program {
  let group = program;
  for (const name of path) {
    const known = group.commands.find((it) => it.name() === name);
    group =
      known ??
      group
        .command(name)
        .summary(GROUPS[name] ?? '')
        .description(GROUPS[name] ?? '')
        .exitOverride();
  }
  return group;
}

const GROUPS: Readonly<Record<string, string>> = {
  artifact: 'files that an attempt produced',
  budget: 'what the project, a run or a task may spend',
  db: 'the database: check it, back it up, restore it, move it',
  deps: 'what a task waits for',
  engine: 'programs that run as agents',
  inbox: 'what waits for a person',
  key: 'API keys',
  limit: 'how many tasks of a kind run at a time, or start a minute',
  output: 'contracts that a task hands on',
  run: 'runs: start one, look at it, end it',
  task: 'tasks: look, decide, steer; and what an agent says about its own',
  worker: 'machines: start one, look at it, take it out of service',
};

function describe(command: Command): string {
  const sentence = sentenceOf(command);
  return command.details === undefined ? sentence : `${sentence}\n\n${command.details}`;
}

async function dispatch(
  command: Command,
  words: readonly string[],
  raw: Readonly<Record<string, unknown>>,
  world: World,
): Promise<number> {
  const isJson = raw['json'] === true;
  try {
    const args = argumentsOf(command, words, raw);
    const options = optionsOf(command, raw);
    const context = createContext(world, raw as ConfigFlags, isJson);
    try {
      const answer = await command.run(context, args, options);
      context.activity.stop();
      return answer === undefined ? EXIT_CODES.ok.code : present(answer, context);
    } finally {
      context.activity.stop();
    }
  } catch (error) {
    if (world.signal.aborted) return EXIT_CODES.interrupted.code;
    return report(error, isJson, world);
  }
}

function present(answer: Answer, context: Context): number {
  if (context.isJson) context.out.json(answer.json);
  else if (answer.text.width > 0) context.out.line(answer.text);
  return answer.exitCode ?? EXIT_CODES.ok.code;
}

function createContext(world: World, flags: ConfigFlags, isJson: boolean): Context {
  const config = readConfig(world.env, flags);
  const out = createOutput(world.stdout, config.hasColor);
  const err = createOutput(world.stderr, config.hasColor);
  const activity = startActivity(isJson ? createOutput(SILENT, false) : err, 'working');
  return {
    config,
    isJson,
    out: stoppingFirst(out, () => activity.stop()),
    err,
    input: world.input,
    activity,
    signal: world.signal,
    cwd: world.cwd,
    env: world.env,
    nowMs: world.nowMs,
    client: () => world.client(config),
    openBrowser: world.openBrowser,
  };
}

const SILENT: OutputStream = { write: () => true };

/** The first thing that is shown ends the notice that something is awaited. */
function stoppingFirst(output: Output, stop: () => void): Output {
  return {
    ...output,
    line: (text) => {
      stop();
      output.line(text);
    },
    json: (value) => {
      stop();
      output.json(value);
    },
    raw: (text) => {
      stop();
      output.raw(text);
    },
  };
}

function argumentsOf(
  command: Command,
  words: readonly string[],
  raw: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const rows = Object.entries(command.arguments);
  const typed =
    typeof raw['id'] === 'string' && rows[0]?.[1].isId === true ? [raw['id'], ...words] : words;
  const hasRest = rows.some(([, { kind }]) => kind === 'rest');
  if (!hasRest && typed.length > rows.length) {
    throw usage(`\`baton ${command.name.join(' ')}\` does not take ${typed[rows.length] ?? ''}.`);
  }
  return Object.fromEntries(
    rows.map(([key, { kind, help }], index) => {
      if (kind === 'rest') return [key, typed.slice(index)];
      const value = typed[index];
      if (kind === 'required' && value === undefined) {
        throw usage(`\`baton ${command.name.join(' ')}\` needs <${key}>: ${help}. See --help.`);
      }
      return [key, value];
    }),
  );
}

function optionsOf(
  command: Command,
  raw: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(command.options).map(([key, row]) => {
      const option = new Option(row.flags);
      const value = raw[option.attributeName()] as string | boolean | readonly string[] | undefined;
      return [key, row.parse(option.negate ? value === false : value)];
    }),
  );
}

/** Says what went wrong on standard error; the exit code tells scripts. */
function report(error: unknown, isJson: boolean, world: World): number {
  const err = createOutput(world.stderr, !('NO_COLOR' in world.env));
  const code = exitCodeOf(error);
  if (!(error instanceof AppError)) {
    const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (isJson) err.json(problemOf(new AppError('internal', 'A fault of baton itself.')));
    else err.line(stack(show`${paint.red('error')} a fault of baton itself:`, block(fault, '  ')));
    return code;
  }
  if (isJson) {
    err.json(problemOf(error));
    return code;
  }
  const violations = problem.safeParse(error.cause).data?.violations ?? [];
  err.line(
    stack(
      show`${paint.red('error')} ${paint.dim(error.code)} ${error.message}`,
      ...violations.map(({ path, message }) => show`  ${path}: ${message}`),
    ),
  );
  return code;
}

function commanderExit(error: CommanderError, argv: readonly string[], world: World): number {
  if (error.exitCode === 0) return EXIT_CODES.ok.code;
  const message = error.message.replace(/^error: /, '');
  // Commander has answered a group without a verb with its help.
  if (error.code === 'commander.help') return EXIT_CODES.usage.code;
  const [first = ''] = argv;
  const isShared = SHARED.some(({ long }) => long === first.split('=')[0]);
  const way = isShared ? `Say ${first} after the command.` : 'See `baton --help`.';
  return report(
    usage(`${message.replace(/([^.?)])$/, '$1.')} ${way}`),
    argv.includes('--json'),
    world,
  );
}
