import type { DelegationStats, Stats } from '@baton/contract';
import { command } from '../command.ts';
import { flag, numeric } from '../option.ts';
import { show, stack, type Shown } from '../terminal/shown.ts';
import { facts, table } from '../terminal/table.ts';
import { ago } from '../terminal/time-text.ts';

export const stats = command({
  name: ['stats'],
  summary: 'counts of runs, tasks and attempts, what runs now and how far it is, and what it used',
  options: {
    hours: numeric('--hours <number>', 'count attempts of so many hours (default 24)', {
      min: 0.01,
      max: 8_760,
    }),
    delegation: flag('--delegation', 'how agents hand work on to others'),
  },
  async run({ client, nowMs, out }, _, { hours, delegation }) {
    if (delegation) {
      const counted = await client().call('getDelegationStats', {});
      return { json: counted, text: delegationText(counted) };
    }
    const query = hours === undefined ? {} : { hours };
    const counted = await client().call('getStats', { query });
    return { json: counted, text: statsText(counted, nowMs(), out.columns()) };
  },
});

function statsText(it: Stats, nowMs: number, columns: number): Shown {
  const { usage, attempts, running } = it;
  const counted = facts([
    ['runs', countsText(it.runs)],
    ['tasks', countsText(it.tasks)],
    ['attempts', countsText(attempts.by_status)],
    ['failures', countsText(attempts.by_failure_class)],
    ['tokens', `${usage.input_tokens} in, ${usage.output_tokens} out`],
    ['cost', usage.usd === undefined ? '' : `$${usage.usd}`],
    ['since', ago(it.since, nowMs)],
  ]);
  if (running.length === 0) return counted;
  const rows = running.map((task) => [
    task.key,
    task.engine ?? '',
    task.worker_name ?? '',
    task.progress?.percent === undefined || task.progress.percent === null
      ? ''
      : `${task.progress.percent}%`,
    task.progress?.text ?? task.title,
  ]);
  return stack(counted, show``, table(['RUNNING', 'ENGINE', 'WORKER', '', 'DOING'], rows, columns));
}

function delegationText(it: DelegationStats): Shown {
  return facts([
    ['spawned', `${it.spawned} (${it.open_children} at work)`],
    ['awaits', countsText(it.awaits)],
    ['resumed', `${it.resurrections}`],
    ['refused by a limit', `${it.cap_rejections}`],
    ['breaker tripped', `${it.breaker_trips}`],
    ['respawns refused', countsText(it.respawn_refusals)],
    ['respawns forced', `${it.respawns_forced}`],
  ]);
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
