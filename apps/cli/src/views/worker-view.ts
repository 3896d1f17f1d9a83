import type { Worker } from '@baton/contract';
import type { Shown } from '../terminal/shown.ts';
import { statusText } from '../terminal/status-text.ts';
import { facts, table } from '../terminal/table.ts';
import { ago } from '../terminal/time-text.ts';

/** Workers below each other. */
export function workerTable(workers: readonly Worker[], nowMs: number, columns: number): Shown {
  return table(
    ['NAME', 'STATUS', 'SLOTS', 'SEEN', 'ENGINES'],
    workers.map((worker) => [
      worker.name,
      statusText(worker.status),
      `${worker.slots_used}/${worker.slots}`,
      ago(worker.last_seen_at, nowMs),
      worker.capabilities.engines.map(({ name }) => name).join(', '),
    ]),
    columns,
  );
}

/** One machine with what it can do. */
export function workerPage(worker: Worker, nowMs: number): Shown {
  const { capabilities } = worker;
  return facts([
    ['worker', worker.id],
    ['name', worker.name],
    ['status', statusText(worker.status)],
    ['slots', `${worker.slots_used} of ${worker.slots} used`],
    ['seen', ago(worker.last_seen_at, nowMs)],
    ['version', worker.version],
    [
      'labels',
      Object.entries(worker.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    [
      'engines',
      capabilities.engines
        .map(
          ({ name, version, auth }) =>
            `${name}${version === undefined ? '' : ` ${version}`} (auth ${auth})`,
        )
        .join(', '),
    ],
    [
      'repos',
      capabilities.repos
        .map(({ name, path }) => (path === undefined ? name : `${name}=${path}`))
        .join(', '),
    ],
    ['languages', capabilities.languages.join(', ')],
    ['tools', capabilities.tools.join(', ')],
    ['attempts', worker.attempts.join(', ')],
  ]);
}
