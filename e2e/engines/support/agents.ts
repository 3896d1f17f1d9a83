import { fakeAgentsDir, startFakeModel, type FakeModel } from '@baton/testkit';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export type AgentName = 'claude' | 'codex';

/** Programs that the test run was given; without them the fakes of the testkit stand in. */
const realPrograms: Readonly<Record<AgentName, string | undefined>> = {
  claude: process.env['BATON_TEST_CLAUDE'],
  codex: process.env['BATON_TEST_CODEX'],
};

/** Whether the real program is driven. */
export function isReal(agent: AgentName): boolean {
  return realPrograms[agent] !== undefined;
}

/** What a test's title says about who does the work, such as `the real claude`. */
export function whoIs(...agents: readonly AgentName[]): string {
  return agents.map((agent) => `${isReal(agent) ? 'the real' : 'a fake'} ${agent}`).join(' and ');
}

/** A machine with agents installed and logged in, and nothing of the real one. */
export interface AgentMachine {
  readonly model: FakeModel;
  /** Environment of its worker. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder that agents may write to, whatever their sandbox. */
  readonly shared: string;
}

/**
 * Codex puts no helpers below a temporary directory, so the machine's home lies in the checkout's cache,
 * and its temporary directory inside that home.
 */
const homes = fileURLToPath(new URL('../../../.cache/agent-homes/', import.meta.url));

/** Makes the machine, its model server scripted by the prompts; all of it is gone after the test. */
export async function startAgentMachine(): Promise<AgentMachine> {
  const model = await startFakeModel();
  onTestFinished(() => model.close());
  mkdirSync(homes, { recursive: true });
  const home = mkdtempSync(join(homes, 'm-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const at = (name: string): string => {
    const path = join(home, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const bin = at('bin');
  for (const agent of ['claude', 'codex'] as const) {
    symlinkSync(realPrograms[agent] ?? join(fakeAgentsDir, agent), join(bin, agent));
  }
  writeFileSync(join(at('codex'), 'config.toml'), codexConfig(model.url));
  return {
    model,
    shared: at('tmp'),
    env: {
      HOME: home,
      TMPDIR: at('tmp'),
      XDG_CONFIG_HOME: at('config'),
      XDG_DATA_HOME: at('data'),
      XDG_CACHE_HOME: at('cache'),
      PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
      CLAUDE_CONFIG_DIR: at('claude'),
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: 'sk-scripted',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      CODEX_HOME: join(home, 'codex'),
      CODEX_API_KEY: 'sk-scripted',
    },
  };
}

function codexConfig(modelUrl: string): string {
  return [
    'model = "fake-1"',
    'model_provider = "scripted"',
    'check_for_update_on_startup = false',
    '',
    '[model_providers.scripted]',
    'name = "scripted"',
    `base_url = "${modelUrl}/v1"`,
    'env_key = "CODEX_API_KEY"',
    'wire_api = "responses"',
    '',
  ].join('\n');
}
