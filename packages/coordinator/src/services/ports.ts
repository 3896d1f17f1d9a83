import type { Command } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import type { Db } from '@baton/store';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** What the services work with: reads without locks, and commands; they never write themselves. */
export interface ServicePorts {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly submit: (command: Command) => Promise<Reply>;
}
