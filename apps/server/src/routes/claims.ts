import type { Assignment } from '@baton/contract';
import { actorOf, type WorkerPrincipal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import { startDeadline } from '../deadline.ts';
import { assignmentView } from '../views/assignment.ts';

interface Claim {
  readonly principal: WorkerPrincipal;
  readonly max: number;
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
}

/**
 * Work for a worker without a link: what it holds and has not started, else what is ready now, else
 * what becomes ready while it waits.
 */
export async function claimWork(app: App, claim: Claim): Promise<Assignment[]> {
  const { coordinator } = app;
  const { id: worker, project } = claim.principal;
  const handedOut: string[] = [];
  let wake = (): void => undefined;
  const unsubscribe = coordinator.onAssigned((assigned) => {
    if (assigned.worker !== worker) return;
    handedOut.push(...assigned.attempts);
    wake();
  });
  try {
    const reply = await coordinator.submit({
      type: 'work.dispatch',
      project,
      actor: actorOf(claim.principal),
      workers: [{ worker, max: claim.max, polling: true }],
    });
    const now = (reply.claimed ?? []).map(({ attempt }) => attempt);
    if (now.length > 0) return await assignmentsOf(app, now);
    if (claim.waitSeconds > 0 && handedOut.length === 0) {
      coordinator.parkWorker(worker, project, claim.max, true);
      const over = startDeadline(claim.waitSeconds * 1_000, [claim.signal, app.stopping]);
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (handedOut.length > 0 || over.signal.aborted) resolve();
        else over.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      over.clear();
      coordinator.unparkWorker(worker);
    }
    return await assignmentsOf(app, [...new Set(handedOut)]);
  } finally {
    unsubscribe();
  }
}

/** What these attempts are given, each with its token. One that has ended meanwhile is left out. */
export async function assignmentsOf(
  app: Pick<App, 'coordinator' | 'keys'>,
  attempts: readonly string[],
): Promise<Assignment[]> {
  const all = await Promise.all(attempts.map((attempt) => app.coordinator.assignmentOf(attempt)));
  return all.flatMap((assignment) => {
    if (assignment === undefined) return [];
    const { id, epoch } = assignment.attempt;
    return [{ ...assignmentView(assignment), token: app.keys.attemptToken(id, epoch) }];
  });
}
