import { readFileSync, writeFileSync } from 'node:fs';
import { invariantTable, mutantTable } from './invariants.ts';

const pageUrl = new URL('../../docs/testing.md', import.meta.url);

/** docs/testing.md as it is, and as it should be: the tables between their marks are made from code. */
export function testingPage(): { readonly now: string; readonly wanted: string } {
  const now = readFileSync(pageUrl, 'utf8');
  return {
    now,
    wanted: put(put(now, 'invariants', invariantTable()), 'defects', mutantTable()),
  };
}

/** Brings the page up to date. */
export function writeTestingPage(): void {
  writeFileSync(pageUrl, testingPage().wanted);
}

function put(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`docs/testing.md has no place for ${name}`);
  return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`;
}
