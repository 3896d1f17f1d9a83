import type { Capabilities, EngineCapability } from '@baton/contract';
import { engineRegistry } from '@baton/engines';
import { detectMachine } from './machine/machine.ts';
import type { WorkerConfig } from './config.ts';

/** What this machine can do: engines found and logged in, repositories, languages, tools, facts. */
export async function detectCapabilities(config: WorkerConfig): Promise<Capabilities> {
  const [engines, machine] = await Promise.all([detectEngines(config), detectMachine(config)]);
  return { engines, environments: [], ...machine };
}

async function detectEngines(config: WorkerConfig): Promise<EngineCapability[]> {
  const found = await Promise.all(
    engineRegistry.map(async (engine) => ({
      engine,
      detected: await engine.detect(config.processEnv),
    })),
  );
  return found
    .filter((it) => it.detected.found)
    .map(({ engine, detected }) => ({
      name: engine.name,
      auth: detected.auth,
      ...(detected.version === null ? {} : { version: detected.version }),
      ...(detected.path === null ? {} : { path: detected.path }),
    }));
}
