import { LIMITS, type Json, type OutputSpec } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { stableJson, utf8Bytes } from '../json-text.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow, OutputRow } from '../rows.ts';

/** Checks contracts' data against what the task declares; nothing is written. */
export function checkOutputs(
  draft: Draft,
  attempt: AttemptRow,
  data: Readonly<Record<string, Json>>,
): Refused | null {
  const declared = draft.get('taskSpecs', attempt.taskId).spec.outputs;
  const wanted: { spec: OutputSpec; value: Json }[] = [];
  for (const [key, value] of Object.entries(data)) {
    const spec = declared.find((it) => it.key === key);
    if (spec === undefined) return unknownOutput(key, declared);
    const bytes = utf8Bytes(JSON.stringify(value));
    if (bytes > LIMITS.contractDataBytesMax) {
      return refuse(
        'limit_exceeded',
        `Output ${key} has ${bytes} bytes, at most ${LIMITS.contractDataBytesMax} are taken; ` +
          'add it as an artifact and hand on its name.',
        { key, bytes },
      );
    }
    wanted.push({ spec, value });
  }
  return checkSchemas(draft, wanted);
}

function checkSchemas(
  draft: Draft,
  wanted: readonly { spec: OutputSpec; value: Json }[],
): Refused | null {
  const checks = wanted.flatMap(({ spec, value }) =>
    spec.schema === undefined ? [] : [{ key: spec.key, schema: spec.schema, data: value }],
  );
  draft.load(checks.map(({ schema, data }) => ({ kind: 'validation' as const, schema, data })));
  for (const { key, schema, data } of checks) {
    const violations = draft.context.violations(schema, data) ?? [];
    if (violations.length > 0) {
      return refuse(
        'contract_violation',
        `Output ${key} does not match its schema: ${violations.join('; ')}`,
        { key, violations },
      );
    }
  }
  return null;
}

/** Writes checked data of a contract. Answers false when the same is there already. */
export function putOutput(draft: Draft, attempt: AttemptRow, key: string, data: Json): boolean {
  const spec = draft.get('taskSpecs', attempt.taskId).spec.outputs.find((it) => it.key === key);
  const id = `${attempt.taskId}/${key}/${attempt.generation}`;
  const sha256 = draft.context.sha256(stableJson(data));
  const before = draft.list('outputsOfTask', attempt.taskId).find((it) => it.id === id);
  if (before?.attemptId === attempt.id && before.sha256 === sha256) return false;
  const row: OutputRow = {
    id,
    taskId: attempt.taskId,
    runId: attempt.runId,
    projectId: attempt.projectId,
    attemptId: attempt.id,
    generation: attempt.generation,
    key,
    type: spec?.type ?? 'json',
    data,
    sha256,
    fulfilledAtMs: draft.nowMs,
  };
  draft.put('outputs', row);
  return true;
}

/** What an attempt has fulfilled so far. */
export function outputsOf(draft: Draft, attempt: AttemptRow): OutputRow[] {
  return draft
    .list('outputsOfTask', attempt.taskId)
    .filter((it) => it.attemptId === attempt.id && it.generation === attempt.generation);
}

function unknownOutput(key: string, declared: readonly OutputSpec[]): Refused {
  const names = declared.map((it) => it.key);
  const list = names.length === 0 ? 'It declares none.' : `Declared: ${names.join(', ')}.`;
  return refuse('unknown_contract', `The task declares no output ${key}. ${list}`, {
    key,
    declared: names,
  });
}
