import { command, optional, required } from '../../command.ts';
import { given } from '../../given.ts';
import { numeric, usage } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const limitSet = command({
  name: ['limit', 'set'],
  summary: 'limit how many tasks of a key run at a time, or start a minute',
  details:
    'Keys are engine:NAME, repo:NAME, and those that tasks name under concurrency. 0 stops a key; nothing that runs is stopped.',
  examples: ['baton limit set engine:claude 2', 'baton limit set deploy 1 --rate 6 --burst 2'],
  arguments: {
    key: required('concurrency key'),
    max: optional('tasks that run at a time'),
  },
  options: {
    rate: numeric('--rate <number>', 'tasks that start a minute, evenly spread', { min: 0.000_1 }),
    burst: numeric('--burst <number>', 'of them at once after a pause (default 1)', { min: 1 }),
  },
  async run({ client }, { key, max }, { rate, burst }) {
    const maxRunning = max === undefined ? undefined : Number(max);
    if (maxRunning !== undefined && !Number.isInteger(maxRunning)) {
      throw usage(`The limit is a whole number, not ${String(max)}.`);
    }
    if (maxRunning === undefined && rate === undefined) {
      throw usage('Say how many may run at a time, or --rate, or both: baton limit set KEY 2.');
    }
    const body = given({ max_running: maxRunning, rate_per_minute: rate, burst });
    const set = await client().scheduling.setLimit(key, body);
    const parts = [
      ...(set.max_running === null ? [] : [`${set.max_running} at a time (${set.running} now)`]),
      ...(set.rate_per_minute === null ? [] : [`${set.rate_per_minute} a minute`]),
    ];
    return { json: set, text: show`${set.key}: ${parts.join(', ')}` };
  },
});
