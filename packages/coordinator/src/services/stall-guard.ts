import { listOpenAttemptIds } from '@baton/store';
import type { Service } from '../service.ts';
import type { ServicePorts } from './ports.ts';

const beatMs = 1_000;
/** A gap this long in our own running means that beats may have been missed for our fault. */
const stallMs = 10_000;
const perCommandMax = 200;

/**
 * Gives the attempts that are open a grace of two leases after a start and after a stall of this
 * process (event loop, or a laptop's sleep): our absence must not make healthy workers lost.
 */
export function createStallGuard(ports: ServicePorts): Service {
  let timer: NodeJS.Timeout | undefined;
  let last = { wallMs: 0, monotonicMs: 0 };

  /** Extends the leases of everything open now. */
  async function grace(): Promise<void> {
    const open = await listOpenAttemptIds(ports.db);
    const byProject = new Map<string, string[]>();
    for (const row of open) {
      byProject.set(row.projectId, [...(byProject.get(row.projectId) ?? []), row.id]);
    }
    for (const [project, ids] of byProject) {
      for (let from = 0; from < ids.length; from += perCommandMax) {
        await ports.submit({
          type: 'lease.grace',
          project,
          actor: { kind: 'kernel', id: null, name: 'grace' },
          attempts: ids.slice(from, from + perCommandMax),
        });
      }
    }
  }

  function tick(): void {
    const now = { wallMs: Date.now(), monotonicMs: performance.now() };
    const gapMs = Math.max(now.wallMs - last.wallMs, now.monotonicMs - last.monotonicMs);
    last = now;
    if (gapMs < stallMs) return;
    ports.log.warn({ gapMs: Math.round(gapMs) }, 'this process stood still; leases get a grace');
    grace().catch((error: unknown) => ports.log.error({ error }, 'the grace could not be given'));
  }

  return {
    name: 'stall-guard',
    async start() {
      await grace();
      last = { wallMs: Date.now(), monotonicMs: performance.now() };
      timer = setInterval(tick, beatMs);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
