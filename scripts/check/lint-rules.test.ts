import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './files.ts';

/** One file for each rule that the house relies on: rule, path, text. */
const planted: readonly (readonly [string, string, string])[] = [
  ['eslint(no-console)', 'packages/store/src/a.ts', `console.log('x');\nexport {};`],
  [
    'eslint(no-param-reassign)',
    'packages/store/src/b.ts',
    'export function f(a: number) { a = 1; return a; }',
  ],
  ['import(no-default-export)', 'packages/store/src/c.ts', 'export default 1;'],
  [
    'import(no-cycle)',
    'packages/store/src/d.ts',
    `import { e } from './e.ts';\nexport const d = () => e;`,
  ],
  [
    'import(no-cycle)',
    'packages/store/src/e.ts',
    `import { d } from './d.ts';\nexport const e = () => d;`,
  ],
  ['node(no-process-env)', 'packages/store/src/f.ts', `export const f = process.env['F'];`],
  [
    'typescript(consistent-type-imports)',
    'packages/store/src/g.ts',
    `import { H } from './types.ts';\nexport const g = (h: H): H => h;`,
  ],
  [
    'typescript(no-explicit-any)',
    'packages/store/src/i.ts',
    'export const i = (x: any): unknown => x;',
  ],
  [
    'typescript(no-floating-promises)',
    'packages/store/src/j.ts',
    'export function j(): void { Promise.reject(new Error()); }',
  ],
  [
    'typescript(no-misused-promises)',
    'packages/store/src/k.ts',
    'export const k = async () => { if (Promise.resolve(true)) return 1; return 2; };',
  ],
  [
    'typescript(no-non-null-assertion)',
    'packages/store/src/l.ts',
    'export const l = (x?: string): string => x!;',
  ],
  [
    'typescript(only-throw-error)',
    'packages/store/src/m.ts',
    `export function m(): never { throw 'x'; }`,
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'packages/store/src/n.ts',
    `export function n(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; }\nreturn 2; }`,
  ],
  ['unicorn(filename-case)', 'packages/store/src/badName.ts', 'export {};'],
  [
    'eslint(no-restricted-globals)',
    'packages/kernel/src/a.ts',
    'export const now = (): number => Date.now();',
  ],
  [
    'eslint(no-restricted-properties)',
    'packages/kernel/src/b.ts',
    'export const dice = (): number => Math.random();',
  ],
  [
    'react-hooks(rules-of-hooks)',
    'apps/dashboard/src/a.tsx',
    `import { useState } from 'react';\nexport function A(p: { x: boolean }) { if (p.x) { useState(1); } return null; }`,
  ],
  [
    'react-hooks(exhaustive-deps)',
    'apps/dashboard/src/b.tsx',
    `import { useEffect } from 'react';\nexport function B(p: { f: () => void }) { useEffect(() => { p.f(); }, []); return null; }`,
  ],
  [
    'jsx-a11y(alt-text)',
    'apps/dashboard/src/c.tsx',
    'export function C() { return <img src="x.png" />; }',
  ],
];

/** Files that look alike but are allowed where they lie. */
const allowed: readonly (readonly [string, string])[] = [
  ['apps/cli/src/print.ts', `console.log('x');\nexport {};`],
  ['apps/server/src/config.ts', `export const port = process.env['BATON_PORT'];`],
  ['packages/store/src/clock.ts', 'export const now = (): number => Date.now();'],
  ['packages/store/src/types.ts', 'export interface H { readonly h: string }'],
  ['vite.config.ts', 'export default {};'],
];

let folder = '';
let found: ReadonlySet<string> = new Set();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-lint-'));
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        strict: true,
        jsx: 'react-jsx',
        module: 'nodenext',
        types: ['node'],
        allowImportingTsExtensions: true,
        noEmit: true,
      },
    }),
  );
  for (const [, path, text] of planted) write(path, text);
  for (const [path, text] of allowed) write(path, text);
  found = lint();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(planted.map(([rule, path]) => [rule, path]))('%s is reported in %s', (rule, path) => {
  expect(found).toContain(`${path} ${rule}`);
});

test('what is allowed is not reported', () => {
  const paths = allowed.map(([path]) => path);
  expect([...found].filter((fault) => paths.some((path) => fault.startsWith(`${path} `)))).toEqual(
    [],
  );
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${text}\n`);
}

/** Faults as `path rule`. */
function lint(): ReadonlySet<string> {
  const script = join(root, 'node_modules/oxlint/bin/oxlint');
  let output: string;
  try {
    output = execFileSync(process.execPath, [script, '--type-aware', '--format=json'], {
      cwd: folder,
      encoding: 'utf8',
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: readonly { readonly code: string; readonly filename: string }[];
  };
  return new Set(diagnostics.map(({ code, filename }) => `${filename} ${code}`));
}
