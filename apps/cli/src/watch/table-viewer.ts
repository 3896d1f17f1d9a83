import { isTerminalTask, type RunGraph, type Task } from '@baton/contract';
import type { Output } from '../terminal/output.ts';
import { paint, show, stack, type Shown } from '../terminal/shown.ts';
import { statusText } from '../terminal/status-text.ts';
import { countText, taskTable } from '../views/run-view.ts';
import type { RunViewer } from './run-viewer.ts';

const DRAW_MS = 250;
const CURSOR_UP = (lines: number): string => `\u001b[${lines}A\r\u001b[J`;
/** Lines for the heading, the counts and the prompt. */
const OTHER_LINES = 5;

/**
 * The run's tasks as a table that is drawn over itself. It reads the graph anew when events have come,
 * at most four times a second; between those it only moves the clocks.
 */
export function createTableViewer(
  out: Output,
  read: () => Promise<RunGraph>,
  nowMs: () => number,
): RunViewer {
  let graph: RunGraph | undefined;
  let drawnLines = 0;
  let isDirty = false;
  let isReading = false;
  let isQuiet = false;
  let notice = '';
  const draw = (): void => {
    if (graph === undefined || isQuiet) return;
    const text = page(graph, notice, nowMs(), out.columns(), out.rows());
    out.raw(drawnLines > 0 ? CURSOR_UP(drawnLines) : '');
    out.line(text);
    drawnLines = text.encode(false).split('\n').length;
  };
  const tick = async (): Promise<void> => {
    if (isDirty && !isReading) {
      isDirty = false;
      isReading = true;
      try {
        graph = await read();
        notice = '';
      } catch {
        // The feed's own reconnection says what is wrong; the next event reads again.
        isDirty = true;
      }
      isReading = false;
    }
    draw();
  };
  const timer = setInterval(() => void tick(), DRAW_MS);
  timer.unref();
  return {
    start(first) {
      graph = first;
      draw();
    },
    event() {
      isDirty = true;
    },
    reconnecting(why) {
      notice = why;
    },
    setQuiet(next) {
      isQuiet = next;
      // What was typed stands below the table: draw a new one under it.
      if (!next) drawnLines = 0;
    },
    async end(run) {
      clearInterval(timer);
      isQuiet = false;
      // The last table stays on screen: it must show how the tasks ended, not how they were.
      graph = await read().catch(() => graph && { ...graph, run });
      draw();
    },
  };
}

function page(
  { run, tasks }: RunGraph,
  notice: string,
  nowMs: number,
  columns: number,
  rows: number,
): Shown {
  const shown = mostTelling(tasks, Math.max(3, rows - OTHER_LINES));
  const hidden = tasks.length - shown.length;
  return stack(
    show`${paint.bold(run.id)} ${statusText(run.status)} ${run.goal}`.cut(columns),
    taskTable(shown, nowMs, columns),
    hidden > 0 && paint.dim(show`... and ${hidden} more`),
    show`${countText(run)}${notice === '' ? '' : paint.yellow(`  ${notice}`)}`.cut(columns),
  );
}

/** What moves or waits first, then what has ended, each in the order of the plan. */
function mostTelling(tasks: readonly Task[], max: number): readonly Task[] {
  if (tasks.length <= max) return tasks;
  const rank = ({ status }: Task): number =>
    status === 'running' || status === 'waiting' || status === 'awaiting_approval'
      ? 0
      : status === 'failed'
        ? 1
        : isTerminalTask(status)
          ? 3
          : 2;
  const kept = new Set(tasks.toSorted((one, other) => rank(one) - rank(other)).slice(0, max));
  return tasks.filter((task) => kept.has(task));
}
