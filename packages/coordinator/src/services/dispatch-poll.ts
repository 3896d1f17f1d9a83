import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';

/** Work that other replicas made or gave up is seen this late at worst. */
const intervalMs = 5_000;

interface Settings {
  /** Takes up what other replicas added to what is kept in memory. */
  readonly refresh: () => Promise<unknown>;
  /** Has stored work searched. Answers whether anybody waits for it. */
  readonly searchAll: () => boolean;
  readonly kick: () => void;
}

/** Has stored work searched now and then, also when nothing told that there is some. */
export function createDispatchPoll(ports: ServicePorts, settings: Settings): Reconciler {
  return createReconciler({
    name: 'dispatch-poll',
    intervalMs,
    ports,
    async runOnce() {
      // Also when nobody is parked: a claim that does not wait goes by what is in memory.
      await settings.refresh();
      if (settings.searchAll()) settings.kick();
      return 0;
    },
  });
}
