import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { INVARIANTS } from './invariants.ts';
import { MUTANTS } from './mutants.ts';
import { testingPage } from './testing-page.ts';

const source = fileURLToPath(new URL('.', import.meta.url));

/** Names under which the simulator's checks report. */
function reported(): Set<string> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(`${source}/${path}`, 'utf8'));
  const calls = texts.flatMap((text) => [...text.matchAll(/(?:report|#say)\(\s*'([a-z-]+)',/g)]);
  return new Set(calls.map((match) => match[1] ?? ''));
}

describe('the list of invariants', () => {
  test('names checks that there are, and leaves none out', () => {
    const named = new Set(INVARIANTS.flatMap((it) => it.checks));
    expect([...named].sort()).toEqual([...reported()].sort());
  });

  test('names tests that there are', () => {
    const missing = INVARIANTS.flatMap((it) => it.tests).filter(
      (path) => !existsSync(new URL(`../../${path}`, import.meta.url)),
    );
    expect(missing).toEqual([]);
  });

  test('has for each defect the check that finds it', () => {
    const named = new Set(INVARIANTS.flatMap((it) => it.checks));
    expect(MUTANTS.filter((it) => !named.has(it.caughtBy))).toEqual([]);
  });

  test('is what docs/testing.md shows', () => {
    const { now, wanted } = testingPage();
    const how = 'npx tsx --conditions=source sim/src/main.ts docs';
    expect({ how, page: now }).toEqual({ how, page: wanted });
  });
});
