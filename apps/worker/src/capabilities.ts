import type { Capabilities, EngineCapability } from '@baton/contract';
import { engineRegistry } from '@baton/engines';
import { readMachineFacts } from './machine/facts.ts';
import { detectLanguages, detectTools } from './machine/programs.ts';
import { detectRepos } from './machine/repos.ts';
import type { WorkerConfig } from './config.ts';

/** More would not fit into the frame in which a worker says what it has. */
const reposMax = 400;

/** What a worker declares, and the labels that every machine has: `os` and `arch`. */
export interface Declared {
  readonly capabilities: Capabilities;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What this machine can do: engines found and logged in, repositories, languages, tools, facts.
 * @throws {AppError} bad_config when a declared repository is none
 */
export async function detectCapabilities(config: WorkerConfig): Promise<Declared> {
  const pathVariable = config.processEnv['PATH'] ?? '';
  const [engines, facts, repos] = await Promise.all([
    detectEngines(config),
    readMachineFacts(config.dataDir),
    detectRepos({ declared: config.repos, scan: config.scan }),
  ]);
  const repoPaths = repos.flatMap((repo) => (repo.path === undefined ? [] : [repo.path]));
  const languages = detectLanguages({
    pathVariable,
    repoPaths,
    ...(config.languages.length === 0 ? {} : { declared: config.languages }),
  });
  return {
    labels: { os: facts.os, arch: facts.arch, ...config.labels },
    capabilities: {
      engines,
      repos: repos.slice(0, reposMax),
      languages: [...languages],
      tools: [...detectTools({ pathVariable, declared: config.tools })],
      environments: [],
      cpu: facts.cpu,
      memory_bytes: facts.memory_bytes,
      disk_free_bytes: facts.disk_free_bytes,
    },
  };
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
