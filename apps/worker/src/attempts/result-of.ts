import {
  taskResult,
  type Assignment,
  type Conclusion,
  type FailureClass,
  type TaskResult,
} from '@baton/contract';
import { conclude, type ReaderEnd } from '@baton/engines';
import { isDeepStrictEqual } from 'node:util';
import { missingFiles, type CollectedWork } from '../workspaces/collect.ts';
import { readDotBaton } from '../workspaces/dot-baton.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { Report } from './report.ts';

type Contracts = NonNullable<TaskResult['contracts']>;

/** What a turn left behind, in all the ways an agent can say it. */
export interface Said {
  readonly assignment: Assignment;
  readonly workspace: Workspace;
  readonly reader: ReaderEnd;
  /** Handed in over the socket. */
  readonly declared: Report | undefined;
  readonly work: CollectedWork | null;
  /** The result of the turn before, which broke a contract. */
  readonly refused: TaskResult | undefined;
}

/** Why a run did not end well. `retry_at`: when a limit that was met is lifted. */
export interface Failure {
  readonly reason: string;
  readonly failure_class: FailureClass;
  readonly retry_at?: string;
}

/** Names of files beyond this are left out of a result; the patch has them all. */
const fileNameBytesMax = 48 * 1024;
const followUpCharsMax = 20_000;
const namesMax = 200;

/**
 * The result of a turn. What the agent handed in itself comes first, then `.baton/`, then its conclusion; a
 * conclusion is made up where there is none. With a failure when the run did not end well.
 */
export function resultOf(said: Said): { readonly result: TaskResult; readonly failure?: Failure } {
  const { workspace, reader, declared, work, refused } = said;
  const { outcome } = reader;
  const ok = outcome.status === 'ok';
  const own = conclude({ text: reader.finalText, ok, reason: outcome.summary });
  const handedIn = readDotBaton(workspace.path);
  const stated = declared?.kind === 'complete' ? declared.body.result : resultFile(handedIn.result);
  const base = stated ?? (own.synthesized && ok ? refused : undefined) ?? resultIn(own);
  const contracts = contractsOf(said, own, { ...handedIn.outputs }, stated?.contracts ?? {});
  const missing = missingOf(workspace, own.files, work);
  const { changes: _changes, commit: _commit, missing_files: _missing, ...kept } = base;
  const result: TaskResult = {
    ...fit(kept),
    ...(missing.length === 0
      ? {}
      : {
          missing_files: missing,
          // An agent that names a file it never wrote has not done all it says.
          ...(base.status === 'success' ? { status: 'partial' as const } : {}),
        }),
    ...(Object.keys(contracts).length === 0 ? {} : { contracts }),
    ...(work === null
      ? {}
      : { changes: shortChanges(work.changes), commit: commitOf(workspace, work) }),
  };
  if (ok || declared?.kind === 'complete') return { result };
  return {
    result,
    failure: {
      reason: outcome.summary === '' ? 'The agent failed without a word.' : outcome.summary,
      failure_class: outcome.failure_class ?? 'agent_error',
      ...(outcome.resets_at === undefined ? {} : { retry_at: outcome.resets_at }),
    },
  };
}

/** Only what the task declares: an agent's other keys are its own business, not a broken contract. */
function contractsOf(
  { assignment, refused }: Said,
  own: Conclusion,
  files: Record<string, unknown>,
  stated: Contracts,
): Contracts {
  const before = refused?.contracts ?? {};
  // A file that a repair left as it was says nothing new: its words in the conclusion then count.
  for (const [key, data] of Object.entries(files)) {
    if (Object.hasOwn(before, key) && isDeepStrictEqual(before[key], data)) delete files[key];
  }
  const all: Record<string, unknown> = { ...before, ...own.outputs, ...files, ...stated };
  const declared = assignment.task.spec.outputs.map((it) => it.key);
  return Object.fromEntries(
    declared
      .filter((key) => Object.hasOwn(all, key) && all[key] !== undefined)
      .map((key) => [key, all[key]]),
  ) as Contracts;
}

/** `.baton/result.json`, as far as it can be understood. */
function resultFile(value: unknown): TaskResult | undefined {
  const whole = taskResult.safeParse(value);
  if (whole.success) return whole.data;
  if (typeof value !== 'object' || value === null) return undefined;
  const { status, summary } = value as { readonly status?: unknown; readonly summary?: unknown };
  const part = taskResult.safeParse({
    status,
    summary: typeof summary === 'string' ? summary.slice(0, 20_000) : '',
  });
  return part.success ? part.data : undefined;
}

function resultIn(own: Conclusion): TaskResult {
  return {
    status: own.status,
    summary: own.summary,
    ...(own.tests === undefined ? {} : { tests: own.tests }),
    ...(own.follow_up === undefined ? {} : { follow_up: own.follow_up }),
    ...(own.confidence === undefined ? {} : { confidence: own.confidence }),
    ...(own.synthesized ? { synthesized: true } : {}),
  };
}

function missingOf(
  workspace: Workspace,
  cited: readonly string[],
  work: CollectedWork | null,
): string[] {
  const deleted = new Set(work?.changes.files_deleted);
  return missingFiles(workspace.path, cited)
    .filter((name) => !deleted.has(name.replace(/^\.\//, '')))
    .slice(0, namesMax);
}

/** What an agent may write at any length is cut to what a frame takes. */
function fit(result: TaskResult): TaskResult {
  const { follow_up: followUp, artifacts, contracts: _contracts, ...rest } = result;
  return {
    ...rest,
    ...(followUp === undefined ? {} : { follow_up: followUp.slice(0, followUpCharsMax) }),
    ...(artifacts === undefined ? {} : { artifacts: artifacts.slice(0, namesMax) }),
  };
}

/** Changes with as many file names as fit. */
export function shortChanges(changes: CollectedWork['changes']): CollectedWork['changes'] {
  let left = fileNameBytesMax;
  let omitted = 0;
  const some = (names: readonly string[]): string[] =>
    names.filter((name) => {
      left -= Buffer.byteLength(JSON.stringify(name)) + 1;
      if (left >= 0) return true;
      omitted += 1;
      return false;
    });
  const short = {
    ...changes,
    files_created: some(changes.files_created),
    files_modified: some(changes.files_modified),
    files_deleted: some(changes.files_deleted),
  };
  return omitted === 0 ? short : { ...short, files_omitted: omitted };
}

function commitOf(workspace: Workspace, work: CollectedWork): NonNullable<TaskResult['commit']> {
  return {
    repo: workspace.repo?.address ?? workspace.path,
    base: work.base,
    commit: work.commit,
    branch: work.branch,
  };
}
