import { claudeEngine } from './claude/claude-engine.ts';
import { codexEngine } from './codex/codex-engine.ts';
import type { Engine } from './engine.ts';
import { shellEngine } from './shell/shell-engine.ts';

/** Every engine that is built in, in the order in which a task without a wish takes the first usable one. */
export const engineRegistry: readonly Engine[] = [claudeEngine, codexEngine, shellEngine];

/** The engine of this name or alias, whatever its case; undefined when there is none. */
export function findEngine(nameOrAlias: string): Engine | undefined {
  const wanted = nameOrAlias.trim().toLowerCase();
  return engineRegistry.find((engine) => engine.name === wanted || engine.aliases.includes(wanted));
}

/** The built-in name that a misspelt one was probably meant to be; undefined when none is near. */
export function nearestEngineName(name: string): string | undefined {
  const wanted = name.trim().toLowerCase();
  const near = engineRegistry
    .flatMap((engine) => [engine.name, ...engine.aliases].map((word) => ({ engine, word })))
    .map(({ engine, word }) => ({ engine, word, distance: editDistance(wanted, word) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.engine.name;
}

/** Letters to insert, delete, replace or swap with a neighbour to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      row.push(
        Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same, swapped),
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
