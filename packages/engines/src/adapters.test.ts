/**
 * Each adapter against a program: plan, start, read, outcome. Always against the fake agents; against
 * the real ones too, with a scripted model, where BATON_TEST_CLAUDE or BATON_TEST_CODEX name them.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentEvent } from '@baton/contract';
import { fakeAgentsDir, startFakeModel } from '@baton/testkit';
import type { FakeModel } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, LaunchRequest, ReaderEnd, ReaderStart } from './engine.ts';
import { findEngine } from './registry.ts';

interface Target {
  readonly label: string;
  readonly engine: string;
  readonly program: string;
  readonly isReal: boolean;
}

const targets: Target[] = ['claude', 'codex'].flatMap((engine) => {
  const fake = {
    label: `fake ${engine}`,
    engine,
    program: join(fakeAgentsDir, engine),
    isReal: false,
  };
  const real = process.env[`BATON_TEST_${engine.toUpperCase()}`];
  if (real === undefined) return [fake];
  return [fake, { label: `real ${engine}`, engine, program: real, isReal: true }];
});

let model: FakeModel;
let root: string;
beforeAll(async () => {
  model = await startFakeModel();
  // Codex needs a home outside of the temporary directory.
  const cache = fileURLToPath(new URL('../../../.cache/', import.meta.url));
  mkdirSync(cache, { recursive: true });
  root = mkdtempSync(join(cache, 'adapters-'));
});
afterAll(async () => {
  await model.close();
  rmSync(root, { recursive: true, force: true });
});

interface Run {
  readonly events: readonly AgentEvent[];
  readonly kinds: readonly string[];
  readonly end: ReaderEnd;
  readonly workspace: string;
}

function engineNamed(name: string): Engine {
  const engine = findEngine(name);
  if (engine === undefined) throw new Error(`no engine ${name}`);
  return engine;
}

function envFor(target: Target): Record<string, string> {
  const home = join(root, `home-${target.label.replace(' ', '-')}`);
  const codexHome = join(home, '.codex');
  if (!existsSync(codexHome)) {
    mkdirSync(codexHome, { recursive: true });
    const provider = `[model_providers.fake]\nname="fake"\nbase_url="${model.url}/v1"\nenv_key="FAKE_API_KEY"\nwire_api="responses"\n`;
    writeFileSync(
      join(codexHome, 'config.toml'),
      `model="fake-1"\nmodel_provider="fake"\n${provider}`,
    );
  }
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    CODEX_HOME: codexHome,
    FAKE_API_KEY: 'fake-key-0000000000000000',
    ANTHROPIC_API_KEY: 'sk-fake-0000000000000000',
    ANTHROPIC_BASE_URL: model.url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
  };
}

interface RunOptions extends Partial<LaunchRequest> {
  readonly start?: ReaderStart;
  /** End the process group as soon as this event was read. */
  readonly killOn?: AgentEvent['type'];
}

async function run(target: Target, prompt: string, options: RunOptions = {}): Promise<Run> {
  const { start, killOn, ...wishes } = options;
  const engine = engineNamed(target.engine);
  const workspace = options.workspacePath ?? mkdtempSync(join(root, 'ws-'));
  const env = envFor(target);
  const planned = engine.plan({
    spec: '',
    prompt,
    workspacePath: workspace,
    attemptDir: join(root, 'attempt'),
    newConversationId: randomUUID(),
    permissions: 'auto',
    extraArgs: [],
    env,
    program: target.program,
    ...wishes,
  });
  if (!planned.ok) throw new Error(planned.refusal.message);
  const { plan } = planned;
  const [program, ...args] = plan.argv;
  const child = spawn(program, args, {
    cwd: workspace,
    env: { ...env, ...plan.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // One that ends early does not read it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(plan.stdin ?? '');
  const reader = engine.openReader(start);
  const events: AgentEvent[] = [];
  let isKilled = false;
  child.stdout.on('data', (chunk: Buffer) => {
    const fresh = reader.push(chunk, 'stdout');
    events.push(...fresh);
    const isTime = !isKilled && fresh.some((event) => event.type === killOn);
    if (isTime && child.pid !== undefined) {
      isKilled = true;
      process.kill(-child.pid, engine.stop.signal);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => void reader.push(chunk, 'stderr'));
  const end = await new Promise<ReaderEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(reader.end({ code, signal })));
  });
  events.push(...end.events);
  return { events, kinds: events.map((event) => event.type), end, workspace };
}

const kindsOfWork: Record<string, readonly string[]> = {
  claude: [
    'session',
    ...['message', 'tool_call', 'tool_result'],
    ...['message', 'tool_call', 'tool_result'],
    ...['message', 'usage', 'outcome'],
  ],
  codex: [
    'session',
    ...['message', 'tool_call', 'tool_result'],
    ...['message', 'tool_call', 'tool_result'],
    ...['message', 'usage', 'outcome'],
  ],
};

describe.each(targets)('$label', { timeout: 300_000 }, (target) => {
  const isClaude = target.engine === 'claude';
  const oneCall = isClaude
    ? { input_tokens: 1_200, output_tokens: 42, cache_read_tokens: 300 }
    : { input_tokens: 900, output_tokens: 42, cache_read_tokens: 300 };

  test('does the work of its prompt and ends well', async () => {
    const workspace = mkdtempSync(join(root, 'ws-'));
    const prompt = `[[write:${workspace}/a.txt|hi]] [[shell:cat a.txt > b.txt; exit 0]] [[say:finished]]`;
    const done = await run(target, prompt, { workspacePath: workspace });
    // Notices come and go with what a program prints to standard error.
    expect(done.kinds.filter((kind) => kind !== 'notice')).toEqual(kindsOfWork[target.engine]);
    expect(done.end.outcome).toMatchObject({ status: 'ok', summary: 'finished', exit_code: 0 });
    expect(readFileSync(join(workspace, 'b.txt'), 'utf8').trim()).toBe('hi');
    expect(done.end.conversationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(done.end.usage).toMatchObject({
      input_tokens: 3 * oneCall.input_tokens,
      output_tokens: 3 * oneCall.output_tokens,
      cache_read_tokens: 3 * oneCall.cache_read_tokens,
    });
  });

  test('a command that fails is a failed tool call, not a failed run', async () => {
    const done = await run(target, '[[shell:echo no >&2; exit 3]] [[say:gave up]]');
    const result = done.events.find((event) => event.type === 'tool_result');
    expect(result).toMatchObject({ ok: false, exit_code: 3 });
    expect(done.end.outcome.status).toBe('ok');
  });

  test('goes on with its conversation, and counts only what it used itself', async () => {
    const first = await run(target, '[[shell:true]] [[say:first]]');
    const usage = first.events.findLast((event) => event.type === 'usage');
    const resume = first.end.conversationId ?? '';
    const second = await run(target, '[[say:second]]', {
      resume,
      workspacePath: first.workspace,
      start: { resumed: true, ...(usage?.conversation && { priorUsage: usage.conversation }) },
    });
    expect(second.end.outcome).toMatchObject({ status: 'ok', summary: 'second' });
    expect(second.end.conversationId).toBe(resume);
    expect(second.end.usage).toMatchObject(oneCall);
    expect(second.events.findLast((event) => event.type === 'usage')).toMatchObject({
      estimated: false,
      conversation: { output_tokens: 3 * oneCall.output_tokens },
    });
  });

  test('a conversation that does not exist fails the run with the words of the agent', async () => {
    const done = await run(target, '[[say:x]]', { resume: randomUUID() });
    expect(done.end.outcome).toMatchObject({ status: 'failed', exit_reason: 'conversation_lost' });
    expect(done.end.outcome.summary).toMatch(/No conversation found|no rollout found/);
  });

  test('a rate limit of the provider is told as one', async () => {
    const done = await run(target, '[[fail:429]]');
    expect(done.end.outcome).toMatchObject({
      status: 'failed',
      failure_class: 'rate_limited',
      exit_reason: 'reported_error',
    });
    expect(done.kinds).toContain('rate_limit');
  });

  test('a refused key is told as one', async () => {
    const done = await run(target, '[[fail:401]]');
    expect(done.end.outcome).toMatchObject({ status: 'failed', failure_class: 'auth' });
  });

  test('an agent that is killed has failed, and its conversation goes on', async () => {
    const killed = await run(target, '[[shell:true]] [[stall:60]]', { killOn: 'tool_result' });
    expect(killed.end.outcome).toMatchObject({ status: 'failed', exit_reason: 'signal' });
    const again = await run(target, '[[say:alive]]', {
      workspacePath: killed.workspace,
      resume: killed.end.conversationId ?? '',
    });
    expect(again.end.outcome).toMatchObject({ status: 'ok', summary: 'alive' });
  });

  test('without permission nothing is written', async () => {
    const workspace = mkdtempSync(join(root, 'ws-'));
    const done = await run(target, `[[write:${workspace}/a.txt|hi]] [[say:tried]]`, {
      workspacePath: workspace,
      permissions: 'deny',
    });
    expect(existsSync(join(workspace, 'a.txt'))).toBe(false);
    expect(done.end.outcome.status).toBe('ok');
    if (isClaude) expect(done.kinds).toContain('permission_denied');
  });

  test('a prompt has no limit of length', async () => {
    const done = await run(target, `${'x'.repeat(300_000)} [[say:read]]`);
    expect(done.end.outcome).toMatchObject({ status: 'ok', summary: 'read' });
  });

  if (isClaude) {
    test('pushing stays with Baton, whatever else it may run', async () => {
      const done = await run(target, '[[shell:git push origin main]] [[say:tried]]');
      expect(done.kinds).toContain('permission_denied');
      expect(done.events.find((event) => event.type === 'tool_result')).toMatchObject({
        ok: false,
      });
    });
  }

  if (isClaude) {
    test('ends at its greatest number of turns, and says so', async () => {
      const done = await run(target, '[[shell:true]] [[shell:true]] [[shell:true]]', {
        maxTurns: 1,
      });
      expect(done.end.outcome).toMatchObject({ status: 'failed', exit_reason: 'max_turns' });
    });
  }
});
