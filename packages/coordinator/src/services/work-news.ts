import type { CommittedEvent } from '../coordinator.ts';
import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';

/** What is kept in memory is read anew this often at most because of others. */
const refreshMs = 250;
/** Without news nothing is to be done here; another service looks now and then. */
const idleMs = 60_000;

/** Events that neither make work ready nor free a place for it; all others may. */
const IDLE: ReadonlySet<string> = new Set([
  'run.created',
  'run.started',
  'task.created',
  'task.blocked',
  'task.assigned',
  'task.started',
  'task.progressed',
  'task.needs_human',
  'task.note_added',
  'attempt.claimed',
  'attempt.started',
  'checkpoint.opened',
  'contract.fulfilled',
  'dependency.resolved',
  'artifact.added',
  'worker.silent',
  'worker.offline',
  'event.purged',
]);

/** What is done when there may be work. */
export interface WorkNewsSettings {
  /** Takes up what other replicas put on record. Answers whether there was anything new. */
  readonly refresh: () => Promise<boolean>;
  /** Has stored work of these projects searched. Answers whether anybody waits for it. */
  readonly search: (projects: ReadonlySet<string>) => boolean;
  readonly kick: () => void;
}

/** Has stored work searched at once when another replica may have made some ready or freed a place. */
export interface WorkNews extends Reconciler {
  take(events: readonly CommittedEvent[]): void;
}

/** Begins to search with its first news. */
export function createWorkNews(ports: ServicePorts, settings: WorkNewsSettings): WorkNews {
  let projects = new Set<string>();
  let refreshedAtMs = -Infinity;
  let callOff: (() => void) | undefined;

  const reconciler = createReconciler({
    name: 'work-news',
    intervalMs: idleMs,
    ports,
    async runOnce() {
      if (projects.size === 0) return 0;
      const asked = projects;
      projects = new Set();
      refreshedAtMs = ports.runtime.monotonicMs();
      // New needs are not known here: the search before this one could not find what has them.
      if ((await settings.refresh()) && settings.search(asked)) settings.kick();
      return asked.size;
    },
  });

  return {
    ...reconciler,
    take(events) {
      const told = new Set<string>();
      for (const { projectId, type } of events) if (!IDLE.has(type)) told.add(projectId);
      // Nobody waits here: what is in memory is read anew when somebody does.
      if (told.size === 0 || !settings.search(told)) return;
      settings.kick();
      for (const project of told) projects.add(project);
      callOff?.();
      const waitMs = Math.max(0, refreshedAtMs + refreshMs - ports.runtime.monotonicMs());
      callOff = ports.runtime.after(waitMs, () => reconciler.nudge());
    },
    async stop() {
      callOff?.();
      await reconciler.stop();
    },
  };
}
