import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startBaton } from './support/process.ts';

/** A data directory whose first start is behind it, to be copied, and the key of its owner. */
export interface TowerTemplate {
  readonly dataDir: string;
  readonly apiKey: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    towerTemplate: TowerTemplate;
  }
}

let home = '';

/** Makes the template once for all tests: initialising a database takes longer than most of them. */
export async function setup(project: TestProject): Promise<void> {
  home = mkdtempSync(join(tmpdir(), 'baton-e2e-template-'));
  const dataDir = join(home, 'data');
  const server = startBaton(['server', '--json', '--port', '0', '--data-dir', dataDir]);
  const line = await server.line((text) => text.startsWith('{'));
  const { api_key: apiKey = '' } = JSON.parse(line) as { api_key?: string };
  await server.end('SIGTERM');
  project.provide('towerTemplate', { dataDir, apiKey });
}

/** Removes the template after the last test. */
export function teardown(): void {
  rmSync(home, { recursive: true, force: true });
}
