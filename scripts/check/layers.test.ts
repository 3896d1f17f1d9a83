import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectFiles, root } from './files.ts';
import { layers } from './import-table.ts';
import { importsOf } from './imports.ts';
import { layerFaults, type Manifest } from './layers.ts';
import { referenceFaults } from './references.ts';

const files = projectFiles();

function manifestsOf(folders: readonly string[]): ReadonlyMap<string, Manifest> {
  return new Map(
    folders.map((folder) => [
      folder,
      JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
    ]),
  );
}

describe('layers', () => {
  test('every import of every workspace is in the import table', () => {
    expect(layerFaults(files, manifestsOf(Object.keys(layers)))).toEqual([]);
  });

  test('the import table names every workspace and no other', () => {
    const onDisk = files
      .map(({ path }) => /^(.+)\/package\.json$/.exec(path)?.[1])
      .filter((folder) => folder !== undefined);
    expect(Object.keys(layers).toSorted()).toEqual(onDisk.toSorted());
  });

  test('ARCHITECTURE.md says the same', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const rows = text.matchAll(/^\| `((?:packages|apps)\/[^`]+)` \|[^|]+\| ([^|]+) \|$/gm);
    const said = Object.fromEntries([...rows].map(([, folder = '', may]) => [folder, may]));
    const meant = Object.entries(layers)
      .filter(([folder]) => folder.includes('/'))
      .map(([folder, { ours, lazy }]) => {
        const known = ours.length === 0 ? 'nothing' : ours.join(', ');
        return [
          folder,
          lazy === undefined ? known : `${known}; by \`await import\`: ${lazy.join(', ')}`,
        ];
      });
    expect(said).toEqual(Object.fromEntries(meant));
  });

  test('ours is a table without circles', () => {
    const folderOf = new Map(Object.keys(layers).map((folder) => [folder.split('/')[1], folder]));
    const reaches = (from: string, path: readonly string[]): readonly string[] => {
      if (path.includes(from)) return [[...path, from].join(' -> ')];
      const rule = layers[folderOf.get(from) ?? ''];
      return [...(rule?.ours ?? []), ...(rule?.lazy ?? [])].flatMap((next) =>
        reaches(next, [...path, from]),
      );
    };
    expect([...folderOf.keys()].flatMap((name) => reaches(name ?? '', []))).toEqual([]);
  });
});

test('project references follow the dependencies of the workspaces', () => {
  expect(referenceFaults(files)).toEqual([]);
});

test('a missing project reference is found', () => {
  const json = (path: string, value: unknown) => ({ path, text: JSON.stringify(value) });
  const lists = { references: [{ path: 'packages/contract' }, { path: 'packages/kernel' }] };
  const planted = [
    json('packages/contract/package.json', {}),
    json('packages/contract/tsconfig.json', {}),
    json('packages/kernel/package.json', { dependencies: { '@baton/contract': '*' } }),
    json('packages/kernel/tsconfig.json', { references: [] }),
    json('tsconfig.build.json', lists),
    json('tsconfig.tests.json', { references: lists.references.slice(1) }),
  ];
  expect(referenceFaults(planted)).toEqual([
    'tsconfig.tests.json:1: has no reference to packages/contract',
    'packages/kernel/tsconfig.json:1: has no reference to packages/contract',
  ]);
});

describe('a planted fault is found', () => {
  const manifests = new Map<string, Manifest>([
    ['packages/contract', { name: '@baton/contract', exports: { '.': {} } }],
    ['packages/kernel', { name: '@baton/kernel', exports: { '.': {} } }],
    [
      'packages/store',
      { name: '@baton/store', dependencies: { pg: '8.0.0' }, exports: { '.': {} } },
    ],
    ['apps/cli', { name: '@baton/cli', dependencies: { commander: '1.0.0' } }],
  ]);
  const faultsOf = (path: string, text: string) => layerFaults([{ path, text }], manifests);

  test.each([
    [
      'packages/contract/src/a.ts',
      `import { x } from '@baton/kernel';`,
      'may not import @baton/kernel',
    ],
    [
      'packages/contract/src/a.ts',
      `import { readFileSync } from 'node:fs';`,
      'may not use node:fs',
    ],
    ['packages/kernel/src/a.ts', `import * as z from 'zod';`, 'may not import zod'],
    [
      'packages/kernel/src/a.ts',
      `import type { Db } from '@baton/store';`,
      'may not import @baton/store',
    ],
    [
      'packages/kernel/src/a.ts',
      `export {\n  x,\n  y,\n} from '@baton/store';`,
      'may not import @baton/store',
    ],
    [
      'packages/kernel/src/a.ts',
      `const x = await import('@baton/store');`,
      'may not import @baton/store',
    ],
    [
      'packages/store/src/a.ts',
      `import { z } from 'zod';`,
      'zod is not in packages/store/package.json',
    ],
    ['packages/store/src/a.ts', `import fs from 'fs';`, 'write node:fs'],
    ['packages/store/src/a.ts', `import { x } from '@baton/contract/src/x.ts';`, 'is not exported'],
    [
      'packages/store/src/a.ts',
      `import { x } from '../../kernel/src/x.ts';`,
      'leaves the workspace',
    ],
    ['packages/store/src/a.ts', `import { x } from './x';`, 'has no file ending'],
    [
      'packages/store/src/a.ts',
      `import { x } from '@baton/testkit';`,
      'may not import @baton/testkit',
    ],
    ['packages/store/src/a.ts', `import { test } from 'vitest';`, 'may not import vitest'],
    ['apps/cli/src/a.ts', `import { startServer } from '@baton/server';`, 'only by `await import`'],
    ['e2e/a.test.ts', `import { x } from '@baton/store';`, 'may not import @baton/store'],
    ['e2e/a.test.ts', `import { x } from '../packages/sdk/src/x.ts';`, 'leaves the workspace'],
    ['apps/nowhere/src/a.ts', `export {};`, 'not in the import table'],
  ])('%s: %s', (path, text, why) => {
    expect(faultsOf(path, text)).toEqual([expect.stringContaining(why)]);
  });

  test('two doors to the server are one too many', () => {
    const text = `const { startServer } = await import('@baton/server');`;
    const one = { path: 'apps/cli/src/up.ts', text };
    expect(layerFaults([one], manifests)).toEqual([]);
    expect(layerFaults([one, { path: 'apps/cli/src/server.ts', text }], manifests)).toHaveLength(1);
  });

  test('tests may use test tools, Node and the testkit', () => {
    const text = [
      `import { test } from 'vitest';`,
      `import { readFileSync } from 'node:fs';`,
      `import { fakeClock } from '@baton/testkit';`,
    ].join('\n');
    expect(faultsOf('packages/kernel/src/a.test.ts', text)).toEqual([]);
  });
});

test('imports are read with their kind and line, comments are not imports', () => {
  const text = [
    `/** import { a } from 'in-doc'; */`,
    `// import b from 'in-comment';`,
    `import c, { type D } from 'c';`,
    `import type { E } from 'e';`,
    `import 'f';`,
    `export * from './g.ts';`,
    `type H = typeof import('h');`,
    `const i = await import('i');`,
    `const text = "from 'nowhere'";`,
  ].join('\n');
  expect(importsOf(text)).toEqual([
    { specifier: 'c', line: 3, kind: 'static' },
    { specifier: 'e', line: 4, kind: 'type' },
    { specifier: 'f', line: 5, kind: 'static' },
    { specifier: './g.ts', line: 6, kind: 'static' },
    { specifier: 'h', line: 7, kind: 'type' },
    { specifier: 'i', line: 8, kind: 'dynamic' },
  ]);
});
