import { paint, type Shown } from './shown.ts';

const COLOR_OF: Readonly<Record<string, (text: string) => Shown>> = {
  running: paint.cyan,
  online: paint.green,
  busy: paint.cyan,
  completed: paint.green,
  succeeded: paint.green,
  failed: paint.red,
  lost: paint.red,
  timed_out: paint.red,
  waiting: paint.yellow,
  awaiting_approval: paint.yellow,
  cancelling: paint.yellow,
  draining: paint.yellow,
  silent: paint.yellow,
  ready: paint.blue,
  offline: paint.dim,
  blocked: paint.dim,
  cancelled: paint.dim,
  skipped: paint.dim,
  superseded: paint.dim,
};

/** A status in its colour; words a terminal without colours shows as well. */
export function statusText(status: string): Shown {
  return (COLOR_OF[status] ?? paint.plain)(status);
}
