import { planOf } from './plan.ts';
import { Sim } from './sim.ts';

const at = process.argv.indexOf('--seed');
const seeds =
  at > 0
    ? [process.argv[at + 1] ?? '0']
    : Array.from({ length: Number(process.argv[2] ?? 5) }, (_, i) => String(i));
const all = new Map<string, number>();
const began = performance.now();
let steps = 0,
  commands = 0;
for (const seed of seeds) {
  const t = performance.now();
  const result = await new Sim(planOf(seed)).run();
  steps += result.steps;
  commands += result.commands;
  for (const [k, v] of result.sometimes.counts) all.set(k, (all.get(k) ?? 0) + v);
  const line = result.faults.length
    ? 'FAULTS ' +
      result.faults
        .slice(0, 3)
        .map((f) => `[${f.check} @${Math.round(f.atMs)}] ${f.text}`)
        .join('\n   ')
    : 'ok';
  process.stdout.write(
    `${seed} ${result.trace} steps ${result.steps} commands ${result.commands} commits ${result.commits} virtual ${Math.round(result.virtualMs / 1000)}s ${Math.round(performance.now() - t)}ms ${line}\n`,
  );
}
process.stdout.write(
  `${Math.round((steps / (performance.now() - began)) * 1000)} steps/s ${commands} commands\n`,
);
process.stdout.write([...all].map(([k, v]) => `  ${v}  ${k}`).join('\n') + '\n');
