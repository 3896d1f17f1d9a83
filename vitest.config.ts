import { defineConfig } from 'vitest/config';

/** Tests run on the sources of the workspaces (export condition `source`), so they need no build. */
const conditions = ['source', 'module', 'node', 'development|production'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.{ts,tsx}',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
            'sim/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**'],
          setupFiles: ['scripts/testing/fixed-seed.ts'],
          // A bound for what hangs, not for what is slow: a busy machine takes ten times as long as a quiet one.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
          // As below: those with processes, sockets and databases meet the machine that they run on.
          retry: 1,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          setupFiles: ['e2e/require-build.ts'],
          globalSetup: ['e2e/tower-template.ts'],
          // What is waited for has bounds of its own; these are for a machine that is slow and busy.
          testTimeout: 480_000,
          hookTimeout: 240_000,
          // Processes of a strange machine may meet in ways nobody foresaw. What needed its second try is
          // told by name above the counts: it is a defect to mend.
          retry: 1,
          // Each runs servers and workers of its own, and waits most of the time: two share two cores well.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
