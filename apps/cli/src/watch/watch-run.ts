import type { Run } from '@baton/contract';
import type { Client } from '@baton/sdk';
import { hasEnded } from '../resolve/task-id.ts';
import type { RunViewer } from './run-viewer.ts';

/** Told of the same events as the viewer, to act on them. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Checkpoints of the run may have opened or closed. */
  readonly onCheckpoints?: (() => void) | undefined;
}

/**
 * Shows a run from now to its end, across broken connections and restarts of the control plane.
 * Undefined when the signal fired before that; the run goes on.
 */
export async function watchRun(
  client: Client,
  id: string,
  viewer: RunViewer,
  options: WatchOptions,
): Promise<Run | undefined> {
  while (!options.signal.aborted) {
    const graph = await client.runs.graph(id);
    viewer.start(graph);
    options.onCheckpoints?.();
    if (hasEnded(graph.run)) return ended(graph.run, viewer);
    const feed = client.events(
      { run: id },
      {
        after: graph.cursor,
        signal: options.signal,
        onState: (it) => {
          if (it.state === 'reconnecting') viewer.reconnecting(it.error.message);
        },
      },
    );
    for await (const item of feed) {
      // Nothing is known behind a reset but the present: read it, and go on from there.
      if (item.kind === 'reset') break;
      viewer.event(item.event);
      if (item.event.type.startsWith('checkpoint.')) options.onCheckpoints?.();
      if (!ENDS.has(item.event.type)) continue;
      const run = await client.runs.get(id);
      if (hasEnded(run)) return ended(run, viewer);
    }
  }
  return undefined;
}

const ENDS: ReadonlySet<string> = new Set([
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.delivered',
  'run.delivery_refused',
]);

async function ended(run: Run, viewer: RunViewer): Promise<Run> {
  await viewer.end(run);
  return run;
}
