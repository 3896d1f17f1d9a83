/** What the sources of one workspace may import; `*.test.ts` may also import `testTools`. */
export interface LayerRule {
  readonly ours: readonly string[];
  /** `declared`: whatever its own package.json lists. */
  readonly outside: readonly string[] | 'declared';
  readonly node: boolean;
  /** Ours, but only by `await import` in one file each: programs that a command starts. */
  readonly lazy?: readonly string[];
}

/** The architecture, as a table: folder of the workspace to what it may know. */
export const layers: Readonly<Record<string, LayerRule>> = {
  'packages/contract': { ours: [], outside: ['zod'], node: false },
  'packages/kernel': { ours: ['contract'], outside: [], node: false },
  'packages/directory-lock': { ours: ['contract'], outside: [], node: true },
  'packages/store': {
    ours: ['contract', 'directory-lock', 'kernel'],
    outside: ['pg', '@electric-sql/pglite', 'zod'],
    node: true,
  },
  'packages/coordinator': {
    ours: ['contract', 'kernel', 'store'],
    outside: ['ajv', 'ajv-formats', 'pino', 'uuid'],
    node: true,
  },
  'packages/engines': { ours: ['contract'], outside: ['yaml'], node: true },
  'packages/sdk': { ours: ['contract'], outside: ['eventsource-parser'], node: false },
  'packages/testkit': {
    ours: ['contract', 'directory-lock', 'kernel', 'store'],
    outside: 'declared',
    node: true,
  },
  'apps/server': {
    ours: ['contract', 'kernel', 'store', 'coordinator'],
    outside: ['hono', '@hono/node-server', 'pino', 'ws', 'zod'],
    node: true,
  },
  'apps/worker': {
    ours: ['contract', 'directory-lock', 'sdk', 'engines'],
    outside: ['execa', 'pino', 'ws', 'zod'],
    node: true,
  },
  'apps/cli': {
    ours: ['contract', 'sdk'],
    lazy: ['server', 'worker'],
    outside: ['commander', 'picocolors', 'pino', 'yaml', 'zod'],
    node: true,
  },
  e2e: { ours: ['contract', 'sdk', 'testkit'], outside: 'declared', node: true },
  bench: {
    ours: ['contract', 'kernel', 'store', 'coordinator', 'sdk', 'server', 'testkit'],
    outside: 'declared',
    node: true,
  },
  sim: {
    ours: ['contract', 'coordinator', 'kernel', 'server', 'store'],
    outside: 'declared',
    node: true,
  },
  'apps/dashboard': { ours: ['contract', 'kernel', 'sdk'], outside: 'declared', node: false },
};

/** Only for tests, wherever they lie. */
export const testTools: readonly string[] = [
  'vitest',
  'fast-check',
  '@baton/testkit',
  'playwright-core',
];
