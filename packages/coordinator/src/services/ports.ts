import type { Command } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import type { ServiceStore } from '../store/coordinator-store.ts';

/** What the services work with: reads without locks, and commands; they never write themselves. */
export interface ServicePorts {
  readonly store: ServiceStore;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Log;
  readonly submit: (command: Command) => Promise<Reply>;
}
