import type { Output } from './output.ts';
import { paint, show } from './shown.ts';

/** Says what the program waits for, once that takes longer than a second. */
export interface Activity {
  say(what: string): void;
  stop(): void;
}

const QUIET_MS = 1_000;
const TICK_MS = 200;
const TURNS = ['◐', '◓', '◑', '◒'];

/** Draws on `output` (standard error) while it runs; nothing where that is no terminal. */
export function startActivity(output: Output, first: string): Activity {
  if (!output.isTty) return { say: () => undefined, stop: () => undefined };
  let what = first;
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    const ms = ticks * TICK_MS;
    if (ms < QUIET_MS) return;
    const turn = TURNS[ticks % TURNS.length];
    output.status(paint.dim(show`${turn} ${what} ${Math.round(ms / 1_000)}s`));
  }, TICK_MS);
  timer.unref();
  return {
    say(next) {
      what = next;
    },
    stop() {
      clearInterval(timer);
      output.status(undefined);
    },
  };
}
