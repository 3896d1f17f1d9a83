import { AppError } from '@baton/contract';
import { execa } from 'execa';
import { gitEnvironment } from './config.ts';

/** How one git command runs. */
export interface GitOptions {
  /** Where it runs; with `gitDir`, a bare repository that needs no working directory. */
  readonly cwd?: string;
  readonly gitDir?: string;
  /** The work tree that belongs to `gitDir` for this one command. */
  readonly workTree?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More `-c name=value`. */
  readonly set?: readonly string[];
  /**
   * Whose configuration counts. `isolated` (default): the repository's and ours. `owner`: also that of
   * the user and the system, for transport (credentials) and work trees (filters such as LFS).
   */
  readonly config?: 'isolated' | 'owner';
  readonly input?: string;
  /** Exit codes that are an answer, not a failure. Default: 0. */
  readonly accept?: readonly number[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a git command answered. */
export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS_DEFAULT = 10 * 60_000;

/**
 * Settings that no repository may override: nothing of its configuration runs a program, asks a
 * person, signs, or changes what we read.
 */
const HARDENED = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.editor=true',
  'core.quotePath=false',
  'core.alternateRefsCommand=',
  'protocol.ext.allow=never',
  'safe.bareRepository=explicit',
  'color.ui=false',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'push.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'fetch.recurseSubmodules=false',
  'submodule.recurse=false',
  'rerere.enabled=false',
  'merge.conflictStyle=merge',
  'advice.detachedHead=false',
] as const;

/**
 * Runs git, hardened. Resolves with its answer when the exit code is one of `accept`.
 * @throws {AppError} git_failed, with git's own words (without passwords), else.
 */
export async function runGit(
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitAnswer> {
  const isolated =
    options.config === 'owner'
      ? {}
      : {
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_CONFIG_SYSTEM: '/dev/null',
          GIT_CONFIG_NOSYSTEM: '1',
        };
  const settings = [...HARDENED, ...(options.set ?? [])].flatMap((setting) => ['-c', setting]);
  const place = [
    ...(options.gitDir === undefined ? [] : [`--git-dir=${options.gitDir}`]),
    ...(options.workTree === undefined ? [] : [`--work-tree=${options.workTree}`]),
  ];
  const result = await execa('git', [...settings, ...place, ...args], {
    cwd: options.cwd ?? options.workTree ?? options.gitDir ?? '/',
    env: { ...gitEnvironment(), ...isolated, ...options.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    timeout: options.timeoutMs ?? TIMEOUT_MS_DEFAULT,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const exitCode = result.exitCode ?? -1;
  const answer = { exitCode, stdout: result.stdout, stderr: result.stderr };
  if ((options.accept ?? [0]).includes(exitCode)) return answer;
  throw gitFailure(args, answer, result.timedOut ? 'took too long' : result.originalMessage);
}

/** The answer's text without the last line end. */
export async function readGit(args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await runGit(args, options)).stdout.replace(/\n$/, '');
}

/** The items of a `-z` answer. */
export async function listGit(
  args: readonly string[],
  options: GitOptions = {},
): Promise<readonly string[]> {
  return (await runGit(args, options)).stdout.split('\0').filter((item) => item !== '');
}

/** A text in which no URL carries a user name or password. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, '$1');
}

/**
 * Refuses what git could take for an option or what is no name of a branch, tag or commit.
 * @throws {AppError} ref_not_found
 */
export function assertRefName(ref: string): string {
  const isName =
    /^[^\s\p{Cc}~^:?*[\\]+$/u.test(ref) &&
    !ref.startsWith('-') &&
    !ref.startsWith('/') &&
    !ref.includes('..') &&
    !ref.includes('@{') &&
    !/(^|\/)\.|\.lock(\/|$)|\/\/|[/.]$/.test(ref);
  if (isName) return ref;
  const shown = JSON.stringify(ref.slice(0, 100));
  throw new AppError('ref_not_found', `${shown} is no name of a branch, tag or commit.`);
}

function gitFailure(
  args: readonly string[],
  answer: GitAnswer,
  note: string | undefined,
): AppError {
  const command = args.find((arg) => !arg.startsWith('-')) ?? 'git';
  const said = withoutCredentials(answer.stderr).trim().split('\n').slice(0, 8).join('\n');
  const words = said === '' ? (note ?? `exit code ${answer.exitCode}`) : said;
  return new AppError('git_failed', `git ${command}: ${words}`, {
    detail: { command, exit_code: answer.exitCode, said: words },
  });
}
