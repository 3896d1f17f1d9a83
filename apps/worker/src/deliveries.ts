import {
  AppError,
  type DeliveryOrder,
  type DeliveryState,
  type RepoCapability,
} from '@baton/contract';
import { deliver } from './delivery/deliver.ts';
import { parseRepoSource } from './git/repo-source.ts';
import { LinkClosed } from './link/counted-frames.ts';
import type { Link } from './link/link.ts';
import type { Log } from './log.ts';
import type { Workspaces } from './workspaces/workspaces.ts';

/** What delivering takes. */
export interface DeliveryPorts {
  readonly link: Link;
  readonly log: Log;
  readonly workspaces: Workspaces;
  readonly repos: () => readonly RepoCapability[];
}

/** Carries out orders to deliver a run's commit; the same order again is harmless. */
export function createDeliveries(ports: DeliveryPorts): { take(order: DeliveryOrder): void } {
  const running = new Set<string>();

  async function carryOut(order: DeliveryOrder): Promise<void> {
    const delivery = await deliverOrder(ports, order);
    const { error } = await ports.link.request({ type: 'delivered', run: order.run, delivery });
    if (error !== null)
      ports.log.warn({ error, run: order.run }, 'the word of a delivery was refused');
  }

  return {
    take(order) {
      const key = `${order.run} ${order.commit.commit}`;
      if (running.has(key)) return;
      running.add(key);
      carryOut(order)
        .catch((error: unknown) => {
          // The order comes again at the next start.
          if (error instanceof LinkClosed) return;
          ports.log.error({ error, run: order.run }, 'a delivery failed');
        })
        .finally(() => running.delete(key));
    },
  };
}

async function deliverOrder(ports: DeliveryPorts, order: DeliveryOrder): Promise<DeliveryState> {
  const common = { repo: order.commit.repo, commit: order.commit.commit, branch: order.branch };
  try {
    const source = parseRepoSource(order.commit.repo, ports.repos());
    const cache = await ports.workspaces.openCache(source);
    const { words } = await deliver({
      mode: order.mode,
      repo: source,
      cacheDir: cache.gitDir,
      commit: order.commit.commit,
      branch: order.branch,
      ...(order.ref === null ? {} : { ref: order.ref }),
    });
    return { state: 'delivered', ...common, detail: words };
  } catch (error) {
    if (!(error instanceof AppError))
      ports.log.error({ error, run: order.run }, 'a delivery failed');
    const detail = error instanceof Error ? error.message : String(error);
    return { state: 'refused', ...common, detail };
  }
}
