import type { Output } from '../terminal/output.ts';
import { paint, show } from '../terminal/shown.ts';
import { eventLine } from '../views/event-line.ts';
import type { RunViewer } from './run-viewer.ts';

/** A line an event: for pipes, logs, and terminals that cannot be drawn on. */
export function createLineViewer(out: Output): RunViewer {
  const keys = new Map<string, string>();
  let held: (() => void)[] | undefined;
  const put = (draw: () => void): void => {
    if (held === undefined) draw();
    else held.push(draw);
  };
  return {
    start({ tasks }) {
      for (const { id, key } of tasks) keys.set(id, key);
    },
    event(event) {
      const key = event.data['key'];
      if (event.type === 'task.created' && event.task !== null && typeof key === 'string') {
        keys.set(event.task, key);
      }
      const line = eventLine(event, (task) => keys.get(task) ?? task);
      if (line !== undefined) put(() => out.line(line));
    },
    reconnecting: (why) => put(() => out.line(paint.dim(show`... ${why} Connecting again.`))),
    setQuiet(isQuiet) {
      if (isQuiet) held ??= [];
      else {
        const all = held ?? [];
        held = undefined;
        for (const draw of all) draw();
      }
    },
    end: () => undefined,
  };
}

/** An event a line as JSON. */
export function createJsonViewer(out: Output): RunViewer {
  return {
    start: () => undefined,
    event: (event) => out.json({ event }),
    reconnecting: () => undefined,
    setQuiet: () => undefined,
    end: () => undefined,
  };
}
