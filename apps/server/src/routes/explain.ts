import { isTerminalTask, type Candidate, type Explanation } from '@baton/contract';
import { hardNeedsOf, misfits, scoreParts, totalScore } from '@baton/kernel';
import type { EdgeRead, TaskRead, WorkerRead } from '@baton/store';
import type { App } from '../app.ts';
import { publicTaskId } from '../views/ids.ts';
import { explainStatus } from './explain-status.ts';
import { knownWorkers, type KnownWorker } from './known-workers.ts';

/** Why a task is in its status, what would change it, and who may take it. */
export async function explainTaskOf(app: App, read: TaskRead): Promise<Explanation> {
  const { task } = read;
  const [edges, workers, checkpoints] = await Promise.all([
    app.reads.edgesOfTask(task.id),
    knownWorkers(app, task.projectId),
    app.reads.openCheckpointsOfTask(task.id),
  ]);
  const { waitsFor, makers } = await upstreamsOf(app, task.id, edges);
  const from =
    task.continueAttemptId === null
      ? undefined
      : await app.reads.findAttempt(task.continueAttemptId);
  const continuesOn = from?.attempt.workerId ?? null;
  const candidates = isTerminalTask(task.status)
    ? []
    : workers.map((worker) => candidateOf(read, worker, makers, continuesOn));
  // Ties go to the least recently used; the list is by name, so that is looked up again.
  const best = candidates
    .filter(({ eligible }) => eligible)
    .toSorted(
      (a, b) => (b.score ?? 0) - (a.score ?? 0) || lastClaim(workers, a) - lastClaim(workers, b),
    )[0];
  const told = explainStatus({ read, waitsFor, candidates, question: checkpoints[0]?.question });
  return {
    task: publicTaskId(task.id),
    status: task.status,
    ...told,
    waits_for: waitsFor,
    engine: hardNeedsOf(read.spec.spec, task.assignedWorker).engine,
    candidates,
    winner: task.status === 'ready' ? (best?.name ?? null) : null,
    facts: { reason: task.reason, pending: task.pending, epoch: task.epoch },
  };
}

type WaitsFor = Explanation['waits_for'];

/** Upstreams that are not done yet, and the workers that made what the task takes as input. */
async function upstreamsOf(
  app: App,
  task: string,
  edges: readonly EdgeRead[],
): Promise<{ readonly waitsFor: WaitsFor; readonly makers: readonly string[] }> {
  const into = edges.filter(({ edge }) => edge.downstreamId === task);
  const reads = await Promise.all(
    into.map(async (it) => ({
      ...it,
      upstream: await app.reads.findTask(it.edge.projectId, it.edge.upstreamId),
    })),
  );
  return {
    waitsFor: reads.flatMap(({ edge, upstream, upstreamKey }) =>
      edge.satisfied || upstream === undefined
        ? []
        : [
            {
              task: publicTaskId(edge.upstreamId),
              key: upstreamKey,
              status: upstream.task.status,
              type: edge.type,
            },
          ],
    ),
    makers: reads.flatMap(({ edge, upstream }) =>
      edge.type === 'input' ? [upstream?.task.workerId].filter((id) => typeof id === 'string') : [],
    ),
  };
}

function candidateOf(
  { task, spec }: TaskRead,
  { worker, attempts, status }: KnownWorker,
  inputMakers: readonly string[],
  continuesOn: string | null,
): Candidate {
  const freeSlots = worker.slots - attempts.length;
  const disqualified = misfits(hardNeedsOf(spec.spec, task.assignedWorker), worker);
  if (status === 'offline' || status === 'silent') disqualified.push(`is ${status}`);
  if (worker.draining) disqualified.push('is draining');
  if (freeSlots <= 0)
    disqualified.push(`has no free slot (${attempts.length} of ${worker.slots} in use)`);
  const eligible = disqualified.length === 0;
  const parts = scoreParts({ spec: spec.spec, worker, freeSlots, inputMakers, continuesOn });
  return {
    worker: worker.id,
    name: worker.name,
    eligible,
    score: eligible ? totalScore(parts) : null,
    parts: { ...parts },
    disqualified,
  };
}

function lastClaim(workers: readonly WorkerRead[], { worker: id }: Candidate): number {
  return workers.find(({ worker }) => worker.id === id)?.worker.lastClaimAtMs ?? 0;
}
