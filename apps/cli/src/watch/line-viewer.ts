import type { Output } from '../terminal/output.ts';
import { eventLine } from '../views/event-line.ts';
import { createLineTeller } from './line-teller.ts';
import type { RunViewer } from './run-viewer.ts';

/** A line an event: for pipes, logs, and terminals that cannot be drawn on. */
export function createLineViewer(out: Output): RunViewer {
  const keys = new Map<string, string>();
  const teller = createLineTeller(out);
  return {
    start({ tasks }) {
      for (const { id, key } of tasks) keys.set(id, key);
    },
    event(event) {
      teller.connected();
      const key = event.data['key'];
      if (event.type === 'task.created' && event.task !== null && typeof key === 'string') {
        keys.set(event.task, key);
      }
      const line = eventLine(event, (task) => keys.get(task) ?? task);
      if (line !== undefined) teller.line(line);
    },
    reconnecting: (why) => teller.reconnecting(why),
    setQuiet: (isQuiet) => teller.setQuiet(isQuiet),
    end: () => Promise.resolve(),
  };
}

/** An event a line as JSON. */
export function createJsonViewer(out: Output): RunViewer {
  return {
    start: () => undefined,
    event: (event) => out.json({ event }),
    reconnecting: () => undefined,
    setQuiet: () => undefined,
    end: () => Promise.resolve(),
  };
}
