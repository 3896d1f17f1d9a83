import type { TaskResult, VerificationChecks } from '@baton/contract';
import { matchesPath } from './path-glob.ts';

/** What an attempt left, as far as it can be looked at without running anything. */
export interface Left {
  readonly result: TaskResult | null;
  /** Keys of the contracts that it fulfilled. */
  readonly outputs: readonly string[];
  readonly artifacts: readonly { readonly name: string; readonly kind: string }[];
}

/** Names in a sentence; beyond this many are only counted. */
const namesMax = 20;

/** What is wrong with what an attempt left, a sentence each; empty when nothing is. */
export function builtInFaults(checks: VerificationChecks, left: Left): string[] {
  const faults: string[] = [];
  const missing = checks.outputs.filter((key) => !left.outputs.includes(key));
  if (missing.length > 0) faults.push(`It did not hand on ${some(missing)}.`);
  const absent = checks.artifacts.filter(
    (wanted) => !left.artifacts.some(({ name, kind }) => name === wanted || kind === wanted),
  );
  if (absent.length > 0) faults.push(`It left no artifact ${some(absent)}.`);
  return [...faults, ...pathFaults(checks, left.result)];
}

function pathFaults(checks: VerificationChecks, result: TaskResult | null): string[] {
  if (checks.changed_paths.length === 0 && checks.allowed_paths === undefined) return [];
  const changes = result?.changes;
  const files = [
    ...(changes?.files_modified ?? []),
    ...(changes?.files_created ?? []),
    ...(changes?.files_deleted ?? []),
  ];
  // Names that did not fit into the result cannot be looked at; what cannot be seen is not accepted.
  const omitted = changes?.files_omitted ?? 0;
  if (omitted > 0)
    return [`It changed ${files.length + omitted} files, too many to check them all.`];
  const faults: string[] = [];
  const untouched = checks.changed_paths.filter(
    (pattern) => !files.some((file) => matchesPath(pattern, file)),
  );
  if (untouched.length > 0) faults.push(`It changed nothing in ${some(untouched)}.`);
  const allowed = checks.allowed_paths;
  if (allowed === undefined) return faults;
  const outside = files.filter((file) => !allowed.some((pattern) => matchesPath(pattern, file)));
  if (outside.length > 0) {
    faults.push(`It may change only ${some(allowed)}; it changed ${some(outside)}.`);
  }
  return faults;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ');
  return names.length > namesMax ? `${shown} and ${names.length - namesMax} more` : shown;
}
