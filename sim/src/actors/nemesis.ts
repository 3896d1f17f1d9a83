import type { Act } from '../plan.ts';
import { createRng } from '../rng.ts';
import type { Sim } from '../sim.ts';

type NemesisAction = Extract<Act, { kind: 'nemesis' }>;

/** Does to the system what machines, networks and clocks do. */
export function strike(sim: Sim, action: NemesisAction): void {
  const { loop, db } = sim;
  const rng = createRng(`${sim.plan.seed} nemesis ${action.atMs}`);
  const replica = sim.replicas[action.a % sim.replicas.length];
  if (replica === undefined) return;
  switch (action.what) {
    case 'crash_replica':
      replica.crash();
      loop.after(rng.between(100, 60_000), () => replica.boot());
      return;
    case 'stop_replica':
      void replica.stop();
      loop.after(rng.between(2_000, 60_000), () => replica.boot());
      return;
    case 'stall_replica':
      if (action.ms > 30_000) sim.sometimes.saw('a replica stood still for longer than a lease');
      replica.stall(action.ms);
      return;
    case 'database_away':
      db.awayUntilMs = Math.max(db.awayUntilMs, loop.nowMs + action.ms / 5);
      sim.sometimes.saw('the database was away');
      return;
    case 'clock_forward':
      db.clockOffsetMs += action.ms / 20;
      return;
    case 'clock_back':
      db.clockOffsetMs -= action.ms / 20;
      sim.sometimes.saw('the clock of the database went back');
      return;
    case 'wall_jump':
      replica.wallOffsetMs += (action.a % 2 === 0 ? 1 : -1) * action.ms;
      return;
    case 'cut_links':
      replica.edge?.cutAll();
      return;
    case 'blackout':
      sim.blackoutUntilMs = Math.max(sim.blackoutUntilMs, loop.nowMs + action.ms);
      for (const it of sim.replicas) it.edge?.cutAll();
      return;
  }
}
