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
