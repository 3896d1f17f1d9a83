import type { Timeline } from '@baton/contract';
import { command, id } from '../../command.ts';
import { choice } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { stack, type Shown } from '../../terminal/shown.ts';
import { table } from '../../terminal/table.ts';
import { duration } from '../../terminal/time-text.ts';

export const runTimeline = command({
  name: ['run', 'timeline'],
  summary: 'who worked on what and when, in parallel lanes',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  options: { by: choice('--by <lane>', 'a lane for each', ['task', 'worker']) },
  async run({ client, nowMs, out }, { run }, { by }) {
    const timeline = await client().call('getTimeline', {
      params: { id: await resolveRun(client(), run) },
      query: { by: by ?? 'task' },
    });
    return { json: timeline, text: timelineText(timeline, nowMs(), out.columns()) };
  },
});

/** Bars of one width for the whole run: `.` claimed and not yet at work, `#` at work. */
const barColumns = 40;

function timelineText(it: Timeline, nowMs: number, columns: number): Shown {
  const fromMs = Date.parse(it.from);
  const toMs = Math.max(fromMs + 1, it.to === null ? nowMs : Date.parse(it.to));
  const at = (instant: string): number =>
    Math.min(
      barColumns - 1,
      Math.max(0, Math.floor(((Date.parse(instant) - fromMs) / (toMs - fromMs)) * barColumns)),
    );
  const nowText = new Date(toMs).toISOString();
  const rows = it.lanes.map((lane) => {
    const bar = Array.from({ length: barColumns }, () => ' ');
    let workedMs = 0;
    for (const attempt of lane.attempts) {
      const end = attempt.ended_at ?? nowText;
      workedMs += Date.parse(end) - Date.parse(attempt.started_at ?? end);
      for (let column = at(attempt.claimed_at); column <= at(end); column++) {
        const isAtWork = attempt.started_at !== null && column >= at(attempt.started_at);
        bar[column] = isAtWork ? '#' : '.';
      }
    }
    return [
      lane.task?.key ?? lane.title,
      bar.join(''),
      lane.attempts.length === 0 ? '' : duration(workedMs),
      lane.task?.status ?? '',
    ];
  });
  return stack(table(['LANE', duration(toMs - fromMs), 'WORKED', ''], rows, columns));
}
