import type { Assignment, Usage } from '@baton/contract';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from '../workspaces/workspace.ts';
import { engineOf } from './launch.ts';
import type { AttemptFiles, RepairFile, TurnFiles } from './files.ts';
import type { PendingReport } from './report.ts';
import { findConversationUsage } from './transcript.ts';

/**
 * What a second turn of the same agent needs to mend a result that broke a contract; undefined when it cannot
 * be: mended once already, nobody to talk to, or somebody stops it.
 */
export async function planRepair(
  it: Assignment,
  files: AttemptFiles,
  pending: PendingReport,
  words: string,
): Promise<RepairFile | undefined> {
  if (pending.turn !== 1 || pending.report.kind !== 'complete') return undefined;
  if (files.stop() !== undefined || !engineOf(it).traits.resume) return undefined;
  const { conversation, usage } = pending.report.body;
  if (conversation === undefined) return undefined;
  const { transcriptPath } = files.turn(1);
  return {
    words,
    conversation,
    usage: usage ?? null,
    prior_usage: await findConversationUsage(transcriptPath),
  };
}

/** The prompt of the second turn: what the validator said, and how to hand in again. */
export function repairPrompt(it: Assignment, repair: RepairFile): string {
  const outputs = it.task.spec.outputs.map((spec) => {
    const schema = spec.schema === undefined ? '' : `, schema: ${JSON.stringify(spec.schema)}`;
    return `- ${spec.key} (${spec.type}${spec.required ? ', required' : ''}${schema})`;
  });
  return [
    'Your result was not accepted. The validator says:',
    '',
    repair.words,
    '',
    'Declared outputs of this task:',
    ...outputs,
    '',
    'Mend it: write each corrected output as JSON into `.baton/outputs/<key>.json`, or name it under',
    '`outputs` in your conclusion. Change nothing else. End with the conclusion block again, in the same form.',
    '',
  ].join('\n');
}

/** Makes room for what the second turn hands in; its outputs stay, to be corrected in place. */
export function clearForRepair(workspace: Workspace): void {
  rmSync(join(workspace.path, '.baton', 'result.json'), { force: true });
}

/** How the attempt ends when its result stays broken. */
export function violationReport(pending: PendingReport, words: string): PendingReport {
  const { report, turn, uploads } = pending;
  if (report.kind !== 'complete') return pending;
  const { result, ...rest } = report.body;
  const { contracts: _refused, ...kept } = result;
  return {
    turn,
    uploads,
    report: {
      kind: 'fail',
      body: { ...rest, result: kept, reason: words, failure_class: 'contract_violation' },
    },
  };
}

/** A repair that itself failed is still a broken contract, with both reasons. */
export function brokenRepair(pending: PendingReport, repair: RepairFile): PendingReport {
  const { report } = pending;
  if (report.kind !== 'fail' || report.body.failure_class === 'cancelled') return pending;
  if (report.body.failure_class === 'lost') return pending;
  const reason = `${repair.words}\nThe attempt to mend it failed: ${report.body.reason}`;
  return {
    ...pending,
    report: { kind: 'fail', body: { ...report.body, reason, failure_class: 'contract_violation' } },
  };
}

/** How the reader of a turn is opened. */
export function readerStart(
  turn: TurnFiles,
  repair: RepairFile | undefined,
): { readonly resumed: boolean; readonly model?: string; readonly priorUsage?: Usage } {
  const plan = turn.plan();
  const prior = turn.turn === 1 ? (plan?.prior_usage ?? null) : (repair?.prior_usage ?? null);
  return {
    resumed: plan?.resumed ?? false,
    ...(typeof plan?.model === 'string' ? { model: plan.model } : {}),
    ...(prior === null ? {} : { priorUsage: prior }),
  };
}
