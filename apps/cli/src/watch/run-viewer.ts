import type { Event, Run, RunGraph } from '@baton/contract';

/** How a run is shown while it goes on. */
export interface RunViewer {
  /** The graph as it is at the start, and again whenever the history behind it was lost. */
  start(graph: RunGraph): void;
  event(event: Event): void;
  /** The connection broke and is made again. */
  reconnecting(why: string): void;
  /** A person is asked something: nothing may be drawn until it is false again. */
  setQuiet(isQuiet: boolean): void;
  /** The last thing that is called. */
  end(run: Run): Promise<void>;
}
