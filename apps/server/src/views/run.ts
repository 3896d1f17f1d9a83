import { type Dependency, type Run, RUN_SOURCES } from '@baton/contract';
import type { EdgeRead, RunRead } from '@baton/store';
import { publicTaskId } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';
import { usdOf } from './money.ts';

/** A run as clients see it. */
export function runView({ run, counts }: RunRead): Run {
  return {
    id: run.id,
    project: run.projectId,
    goal: run.goal,
    status: run.status,
    reason: run.reason,
    planning: run.planning,
    source: RUN_SOURCES.find((source) => source === run.source) ?? 'api',
    input: { ...run.input },
    labels: { ...run.labels },
    policy: run.policy,
    deliver: run.deliver,
    delivery: run.delivery,
    plan_version: run.planVersion,
    seq: run.seq,
    task_count: run.taskCount,
    tasks_by_status: counts,
    needs_human: run.needsHuman,
    usd: usdOf(run.usdMicros),
    lineage_root: run.lineageRoot,
    rerun_of: run.rerunOf,
    created_by: run.createdBy,
    created_at: isoOf(run.createdAtMs),
    started_at: isoOrNull(run.startedAtMs),
    ended_at: isoOrNull(run.endedAtMs),
    updated_at: isoOf(run.updatedAtMs),
  };
}

/** An edge as clients see it. */
export function dependencyView({ edge, upstreamKey, downstreamKey }: EdgeRead): Dependency {
  return {
    id: edge.id,
    run: edge.runId,
    upstream: publicTaskId(edge.upstreamId),
    upstream_key: upstreamKey,
    downstream: publicTaskId(edge.downstreamId),
    downstream_key: downstreamKey,
    type: edge.type,
    contract_key: edge.contractKey,
    as: edge.inputName,
    on: edge.rule,
    satisfied: edge.satisfied,
    plan_version: edge.planVersion,
  };
}
