import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planOf, type SimPlan } from './plan.ts';
import { shrink } from './shrink.ts';
import { Sim, type SimResult } from './sim.ts';
import { Sometimes } from './sometimes.ts';
import { playOnSql, shortened } from './sql/sql-run.ts';

type Tell = (text: string) => void;

/** Simulations that shrinking one failure may take. */
const shrinkTriesMax = 300;
const regressionsUrl = new URL('../regressions/', import.meta.url);

/** A failure that was found once: what it was, and the plan that led to it. */
export interface Regression {
  readonly what: string;
  readonly check: string;
  readonly plan: SimPlan;
}

/** Kept failures by file name. Each is played again with the tests. */
export function regressions(): ReadonlyMap<string, Regression> {
  const names = readdirSync(regressionsUrl).filter((name) => name.endsWith('.json'));
  return new Map(
    names.sort().map((name) => {
      const text = readFileSync(new URL(name, regressionsUrl), 'utf8');
      return [name, JSON.parse(text) as Regression];
    }),
  );
}

/** Plays one seed; a failure is shrunk and told, and kept with `save`. Answers whether all was well. */
export async function replaySeed(seed: string, save: boolean, tell: Tell): Promise<boolean> {
  const plan = planOf(seed);
  const result = await new Sim(plan).run();
  tell(lineOf(seed, result));
  const [first] = result.faults;
  if (first === undefined) return true;
  tell(await shrunkReport(plan, first.check, save, tell));
  return false;
}

/** Plays the beginning of one seed on the database in SQL. Answers whether all was well. */
export async function replayOnSql(seed: string, tell: Tell): Promise<boolean> {
  let isWell = true;
  await playOnSql([shortened(planOf(seed))], ({ result }) => {
    tell(lineOf(seed, result));
    isWell = result.faults.length === 0;
  });
  return isWell;
}

/** Plays a kept plan. Answers whether all was well. */
export async function replayFile(file: string, tell: Tell): Promise<boolean> {
  const { plan } = JSON.parse(readFileSync(file, 'utf8')) as Regression;
  const result = await new Sim(plan).run();
  tell(lineOf(plan.seed, result));
  return result.faults.length === 0;
}

/** Plays the seeds 0, 1, 2 ...; tells each and what came up. Answers whether all was well. */
export async function play(count: number, tell: Tell): Promise<boolean> {
  const tally = new Tally();
  for (let seed = 0; seed < count; seed++) {
    const result = await new Sim(planOf(String(seed))).run();
    tally.add(result);
    tell(lineOf(String(seed), result));
  }
  tell(tally.text());
  return tally.failures === 0;
}

/**
 * Plays random seeds until the time is up, a fifth of it on the database in SQL. Failures are told as
 * they come.
 */
export async function soak(minutes: number, tell: Tell): Promise<boolean> {
  const untilMs = performance.now() + minutes * 60_000;
  const inMemory = await soakInMemory(performance.now() + minutes * 48_000, tell);
  let isWell = true;
  let seeds = 0;
  await playOnSql(randomPlans(untilMs), ({ plan, result }) => {
    seeds += 1;
    if (result.faults.length === 0) return;
    isWell = false;
    tell(`on SQL: ${lineOf(plan.seed, result)}`);
    tell(`again: npx tsx --conditions=source sim/src/main.ts --sql --seed ${plan.seed}`);
  });
  tell(`${seeds} seeds on SQL`);
  return inMemory && isWell;
}

function* randomPlans(untilMs: number): Generator<SimPlan> {
  do yield shortened(planOf(`s${randomInt(1_000_000_000)}`));
  while (performance.now() < untilMs);
}

async function soakInMemory(untilMs: number, tell: Tell): Promise<boolean> {
  const tally = new Tally();
  let toldAtMs = performance.now();
  while (performance.now() < untilMs) {
    const seed = `s${randomInt(1_000_000_000)}`;
    const result = await new Sim(planOf(seed)).run();
    tally.add(result);
    const [first] = result.faults;
    if (first !== undefined) {
      tell(lineOf(seed, result));
      tell(await shrunkReport(planOf(seed), first.check, false, tell));
    }
    if (performance.now() - toldAtMs > 30_000) {
      toldAtMs = performance.now();
      tell(tally.line());
    }
  }
  tell(tally.text());
  return tally.failures === 0;
}

/** Failure, seed and how to play it again; the smallest acts and faults that still fail. */
async function shrunkReport(
  plan: SimPlan,
  check: string,
  save: boolean,
  tell: Tell,
): Promise<string> {
  tell(`shrinking ...`);
  const { plan: small, tries } = await shrink(plan, check, shrinkTriesMax);
  const { faults } = await new Sim(small).run();
  const kept: Regression = { what: faults[0]?.text ?? check, check, plan: small };
  if (save) {
    mkdirSync(fileURLToPath(regressionsUrl), { recursive: true });
    const file = join(fileURLToPath(regressionsUrl), `${check}-${plan.seed}.json`);
    writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
    tell(`kept in ${file}`);
  }
  return [
    `seed ${plan.seed}: ${check}: ${kept.what}`,
    `again: npx tsx --conditions=source sim/src/main.ts --seed ${plan.seed}`,
    `after ${tries} simulations: ${small.acts.length} of ${plan.acts.length} acts, ${small.replicas} replicas`,
    `profile ${JSON.stringify(small.profile)}`,
    ...small.acts.map((act) => `  ${JSON.stringify(act)}`),
  ].join('\n');
}

function lineOf(seed: string, { faults, steps, commands, commits, trace }: SimResult): string {
  const counts = `${steps} steps, ${commands} commands, ${commits} commits`;
  const found = faults
    .slice(0, 3)
    .map(({ check, text, atMs }) => `\n  [${check}] after ${Math.round(atMs / 1_000)} s: ${text}`);
  return `seed ${seed} ${trace}: ${counts}${faults.length === 0 ? '' : ' FAILED'}${found.join('')}`;
}

/** Sums over many simulations. */
class Tally {
  failures = 0;
  #seeds = 0;
  #steps = 0;
  #commands = 0;
  readonly #sometimes = new Sometimes();
  readonly #sinceMs = performance.now();

  add(result: SimResult): void {
    this.#seeds += 1;
    this.#steps += result.steps;
    this.#commands += result.commands;
    if (result.faults.length > 0) this.failures += 1;
    this.#sometimes.addAll(result.sometimes);
  }

  line(): string {
    const rate = Math.round((1_000 * this.#steps) / (performance.now() - this.#sinceMs));
    return `${this.#seeds} seeds, ${this.#steps} steps (${rate}/s), ${this.#commands} commands, ${this.failures} failures`;
  }

  text(): string {
    const seen = [...this.#sometimes.counts].sort((a, b) => b[1] - a[1]);
    const never = this.#sometimes.never();
    return [
      this.line(),
      ...seen.map(([situation, count]) => `${String(count).padStart(9)}  ${situation}`),
      ...never.map((situation) => `    never  ${situation}`),
    ].join('\n');
  }
}
