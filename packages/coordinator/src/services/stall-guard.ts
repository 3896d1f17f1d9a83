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
  const { runtime } = ports;
  let callOff: (() => void) | undefined;
  let last = { wallMs: 0, monotonicMs: 0 };

  /** Extends the leases of everything open now. */
  async function grace(): Promise<void> {
    const open = await ports.store.listOpenAttemptIds();
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
    callOff = runtime.after(beatMs, tick);
    const now = { wallMs: runtime.wallMs(), monotonicMs: runtime.monotonicMs() };
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
      last = { wallMs: runtime.wallMs(), monotonicMs: runtime.monotonicMs() };
      callOff = runtime.after(beatMs, tick);
    },
    stop() {
      callOff?.();
      return Promise.resolve();
    },
  };
}
