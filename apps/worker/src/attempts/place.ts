import type { Assignment } from '@baton/contract';
import { endTree } from '../supervisor/process-tree.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { aborted } from './aborted.ts';
import type { AttemptFiles } from './files.ts';
import { fetchWork } from './keep-work.ts';
import type { RunnerPorts } from './runner-ports.ts';
import { StoppedBeforeStart } from './turn.ts';
import { workspaceRequest } from './workspace-request.ts';

/** The directory that an agent works in, and the making of it. */
export interface Place {
  /**
   * Makes it, unless a daemon before this one made it to its end. @throws {StoppedBeforeStart}
   * @throws {AppError} as `prepareWorkspace`
   */
  make(): Promise<Workspace>;
  /** Ends a setup script that is at work. */
  interrupt(): void;
}

const setupGraceMs = 1_000;

/** `before` resolves when nothing is left at work in the place that this one goes on in. */
export function createPlace(
  ports: RunnerPorts,
  assignment: () => Assignment,
  files: AttemptFiles,
  before: () => Promise<void>,
  signal: AbortSignal,
): Place {
  const { id } = assignment().attempt;
  let isPreparing = false;

  function throwIfStopped(): void {
    if (files.stop() !== undefined) throw new StoppedBeforeStart('stopped before its start');
  }

  async function endSetup(): Promise<void> {
    await endTree({ attemptId: `${id}.setup` }, setupGraceMs);
  }

  return {
    async make() {
      const made = files.isPrepared() ? ports.workspaces.find(id) : undefined;
      if (made !== undefined) return made;
      throwIfStopped();
      await Promise.race([before(), aborted(signal)]);
      throwIfStopped();
      isPreparing = true;
      try {
        // A setup script of a daemon that was killed may still be at work.
        await endSetup();
        const request = await workspaceRequest(ports, assignment(), files);
        signal.throwIfAborted();
        const saved = await fetchWork(ports, assignment(), files);
        signal.throwIfAborted();
        const workspace = await ports.workspaces.prepare({ ...request, ...saved });
        if (workspace.notRestored !== undefined) {
          const why = workspace.notRestored;
          ports.log.warn(
            { attempt: id, why },
            'work from another machine could not be gone on with',
          );
        }
        files.markPrepared();
        return workspace;
      } finally {
        isPreparing = false;
      }
    },
    interrupt() {
      if (!isPreparing) return;
      endSetup().catch((error: unknown) => {
        ports.log.warn({ error, attempt: id }, 'a setup script could not be ended');
      });
    },
  };
}
