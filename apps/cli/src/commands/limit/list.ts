import type { Limit, Parking } from '@baton/contract';
import { command } from '../../command.ts';
import { show, stack } from '../../terminal/shown.ts';
import { table } from '../../terminal/table.ts';

export const limitList = command({
  name: ['limit', 'list'],
  summary:
    'limits of concurrency keys, who counts against them, and engines that a provider refuses',
  async run({ client, out }) {
    const [limits, parkings] = await Promise.all([
      client().scheduling.limits(),
      client().scheduling.parkings(),
    ]);
    return {
      json: { items: limits, parkings },
      text: stack(
        limits.length === 0
          ? show`No limits. Set one: baton limit set engine:claude 2`
          : table(['KEY', 'RUNNING', 'RATE', 'HELD BY'], limits.map(rowOf), out.columns()),
        ...parkings.map(parkingLine),
      ),
    };
  },
});

function rowOf(limit: Limit): string[] {
  const { max_running: max, rate_per_minute: rate, running, holders } = limit;
  const names = holders.map(({ key, run }) => `${key} of ${run}`).join(', ');
  const more = running > holders.length ? ` and ${running - holders.length} more` : '';
  return [
    limit.key,
    max === null ? `${running}` : `${running} of ${max}`,
    rate === null ? '' : `${rate} a minute, ${limit.burst} at once`,
    `${names}${more}`,
  ];
}

function parkingLine({ engine, account, worker_name: worker, until, reason }: Parking) {
  const whose = account ?? worker ?? 'a worker that is gone';
  return show`${engine} of ${whose} is refused until ${until}: ${reason}`;
}
