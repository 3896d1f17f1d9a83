import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { FrameError } from './testing/fake-control-plane.ts';
import { Stage } from './testing/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ agents: true });
  await stage.worker({ warmSupervisors: 2 });
});
afterEach(() => {
  stage.plane.answer = () => undefined;
  stage.plane.takesUploads = true;
  stage.check();
});
afterAll(() => stage.close());

const fence = '```';
const concluded = (yaml: string): string =>
  `[[say:Done.\n${fence}baton:conclusion\n${yaml}\n${fence}\n]]`;

/** What the validator says; a fake agent takes the directives in it as its next script. */
const violation = (words: string): FrameError => ({
  code: 'contract_violation',
  detail: 'Output api does not match its schema',
  retry: false,
  facts: { violations: [words] },
});

for (const engine of ['claude', 'codex']) {
  describe(`an agent of engine ${engine}`, () => {
    const needs = { engine };

    test('leaves a commit, a patch, its usage and its own conclusion', async () => {
      const { plane } = stage;
      const repo = stage.repo();
      const spec = `[[write:src/new.txt|made]]${concluded('status: success\nsummary: Made it.\nconfidence: 0.9')}`;
      const it = plane.assign({ spec, needs, workspace: { repo } });
      const { body } = await plane.untilTold('complete', it.attempt.id);
      expect(body.result).toMatchObject({
        status: 'success',
        summary: 'Made it.',
        confidence: 0.9,
      });
      expect(body.result.changes?.files_created).toEqual(['src/new.txt']);
      expect(body.usage).toMatchObject({ output_tokens: 84 });
      expect(body.conversation).toMatch(/^[0-9a-f-]{36}$/);
      const { commit, base, branch } = body.result.commit ?? {};
      expect(commit).not.toBe(base);
      expect(branch).toBe(`baton/${it.run.id}/t/main/1`);
      const files = plane.artifactsOf(it.attempt.id);
      expect([...files.keys()].toSorted()).toEqual(['bundle', 'patch']);
      execFileSync('git', ['apply', '--check'], { cwd: repo, input: files.get('patch')?.content });
      const started = plane.told('started', it.attempt.id)[0]?.body;
      expect(started?.bases).toEqual({ [`${repo}@HEAD`]: base });
      const events = plane.log(it.attempt.id, 'agent').toString().trimEnd().split('\n');
      expect((JSON.parse(events.at(-1) ?? '') as { type: string }).type).toBe('outcome');
    });

    test('has its tool calls on the ledger before its end is told', async () => {
      const { plane } = stage;
      const { attempt } = plane.assign({ spec: '[[shell:echo hello]][[shell:exit 3]]', needs });
      await plane.untilTold('complete', attempt.id);
      const told = plane.told('actions', attempt.id).flatMap(({ body }) => body.actions);
      const last = [...new Map(told.map((it) => [it.call, it])).values()];
      expect(last.map(({ effect, status }) => [effect, status])).toEqual([
        ['local_write', 'succeeded'],
        ['local_write', 'failed'],
      ]);
      expect(last[0]?.target).toContain('echo hello');
    });

    test('is told of while it works: its conversation, and what it does', async () => {
      const { plane } = stage;
      const go = stage.path(`${engine}-go`);
      const spec = `[[shell:until test -e '${go}'; do sleep 0.02; done]]`;
      const { attempt } = plane.assign({ spec, needs });
      // In one frame or in several, as they come.
      const told = (): {
        conversation?: unknown;
        progress?: { text?: string | undefined } | undefined;
      } => Object.assign({}, ...plane.told('progress', attempt.id).map((it) => it.body));
      await plane.until(() => told().progress?.text?.includes('until test -e'), 'progress');
      expect(told().conversation).toMatch(/^[0-9a-f-]{36}$/);
      stage.touch(`${engine}-go`);
      await plane.untilTold('complete', attempt.id);
    });

    test('mends a result that breaks a contract, in the same conversation and the same logs', async () => {
      const { plane } = stage;
      const fix = '[[write:.baton/outputs/api.json|{"v": 2}]][[say:Mended.]]';
      plane.answer = (frame) =>
        frame.type === 'complete' && plane.told('complete', frame.attempt).length === 1
          ? { error: violation(`api: v must be 2 ${fix}`) }
          : undefined;
      const spec = `[[write:.baton/outputs/api.json|{"v": 1}]]${concluded('status: success\nsummary: First.')}`;
      const it = plane.assign({ spec, needs, outputs: [{ key: 'api' }] });
      const { id } = it.attempt;
      const [first, second] = await plane.until(() => {
        const told = plane.told('complete', id);
        return told.length === 2 && told;
      }, 'the mended result');
      expect(first?.body.result.contracts).toEqual({ api: { v: 1 } });
      expect(second?.body.result).toMatchObject({
        summary: 'First.',
        contracts: { api: { v: 2 } },
      });
      expect(second?.body.conversation).toBe(first?.body.conversation);
      // Two calls in each turn.
      expect(first?.body.usage?.output_tokens).toBe(84);
      expect(second?.body.usage?.output_tokens).toBe(168);
      const outcomes = plane
        .log(id, 'agent')
        .toString()
        .match(/"type":"outcome"/g);
      expect(outcomes).toHaveLength(2);
      expect(plane.told('fail', id)).toEqual([]);
    });

    test('that cannot mend its result fails with the words of the validator', async () => {
      const { plane } = stage;
      plane.answer = (frame) =>
        frame.type === 'complete'
          ? { error: violation('api: v must be 2 [[say:No idea.]]') }
          : undefined;
      const it = plane.assign({ spec: '[[say:x]]', needs, outputs: [{ key: 'api' }] });
      const { body } = await plane.untilTold('fail', it.attempt.id);
      expect(body.failure_class).toBe('contract_violation');
      expect(body.reason).toContain('v must be 2');
      expect(plane.told('complete', it.attempt.id)).toHaveLength(2);
    });

    test('whose provider refuses it fails with the class of that', async () => {
      const { plane } = stage;
      const it = plane.assign({ spec: '[[fail:429]]', needs });
      const { body } = await plane.untilTold('fail', it.attempt.id);
      expect(body.failure_class).toBe('rate_limited');
    });
  });
}

describe('the result of an attempt', () => {
  const shell = { engine: 'shell' };

  test('of a command that breaks a contract is a failure at once: there is nobody to talk to', async () => {
    const { plane } = stage;
    plane.answer = (frame) =>
      frame.type === 'complete' ? { error: violation('api is missing') } : undefined;
    const it = plane.assign({ spec: 'true', needs: shell, outputs: [{ key: 'api' }] });
    const { body } = await plane.untilTold('fail', it.attempt.id);
    expect(body).toMatchObject({ failure_class: 'contract_violation', exit_code: 0 });
    expect(body.reason).toContain('api is missing');
    expect(plane.told('complete', it.attempt.id)).toHaveLength(1);
  });

  test('is only partial when its agent names files that are not there', async () => {
    const { plane } = stage;
    const spec = `[[write:a.txt|x]]${concluded('status: success\nsummary: S\nfiles: [a.txt, b.txt]')}`;
    const it = plane.assign({ spec, needs: { engine: 'claude' } });
    const { body } = await plane.untilTold('complete', it.attempt.id);
    expect(body.result).toMatchObject({ status: 'partial', missing_files: ['b.txt'] });
  });

  test('fails when it changes what it may not', async () => {
    const { plane } = stage;
    const repo = stage.repo();
    const workspace = { repo, allowed_paths: ['docs/**'] };
    const it = plane.assign({ spec: 'echo x > README.md', needs: shell, workspace });
    const { body } = await plane.untilTold('fail', it.attempt.id);
    expect(body.reason).toContain('docs/**');
    expect(body.reason).toContain('README.md');
  });

  test('has only declared outputs, each file of them, whatever their size in sum', async () => {
    const { plane } = stage;
    const big = 'x'.repeat(120_000);
    const write = (key: string): string => `printf '"%s"' '${key}' > .baton/outputs/${key}.json`;
    const large = (key: string): string =>
      `{ printf '"'; head -c 120000 /dev/zero | tr '\\0' x; printf '"'; } > .baton/outputs/${key}.json`;
    const spec = [large('one'), large('two'), large('three'), write('extra')].join('; ');
    const outputs = ['one', 'two', 'three'].map((key) => ({ key }));
    const it = plane.assign({ spec, needs: shell, outputs });
    const { body } = await plane.untilTold('complete', it.attempt.id);
    const told = plane.told('output', it.attempt.id).map((one) => one.body);
    expect(told.map((one) => one.key)).toEqual(['one', 'two', 'three']);
    expect(told[0]?.data).toBe(big);
    expect(body.result.contracts).toBeUndefined();
  });

  test('has no output that it did not write, also under a name that every object has', async () => {
    const { plane } = stage;
    const outputs = ['constructor', 'toString', 'kept'].map((key) => ({ key }));
    const spec = `printf 1 > .baton/outputs/kept.json`;
    const it = plane.assign({ spec, needs: shell, outputs });
    const { body } = await plane.untilTold('complete', it.attempt.id);
    expect(body.result.contracts).toEqual({ kept: 1 });
  });

  test('names as many changed files as fit, and says how many it left out', async () => {
    const { plane } = stage;
    const repo = stage.repo();
    const name = 'n'.repeat(180);
    const spec = `mkdir d; i=0; while [ $i -lt 600 ]; do echo $i > d/${name}$i; i=$((i+1)); done`;
    const it = plane.assign({ spec, needs: shell, workspace: { repo } });
    const { body } = await plane.untilTold('complete', it.attempt.id);
    const { changes } = body.result;
    expect(changes?.files_omitted).toBeGreaterThan(0);
    expect((changes?.files_created.length ?? 0) + (changes?.files_omitted ?? 0)).toBe(600);
  });

  test('waits until its files are stored', async () => {
    const { plane } = stage;
    const repo = stage.repo();
    plane.takesUploads = false;
    const it = plane.assign({ spec: 'echo x > new.txt', needs: shell, workspace: { repo } });
    await stage.untilFile(join(stage.attemptDir(it.attempt.id), 'report.json'));
    expect(plane.told('complete', it.attempt.id)).toEqual([]);
    plane.takesUploads = true;
    await plane.untilTold('complete', it.attempt.id);
    const files = [...plane.artifactsOf(it.attempt.id).values()];
    expect(files.map(({ content }) => content !== undefined)).toEqual([true, true]);
  });

  test('goes on from the commit of another worker, by its bundle', async () => {
    const own = await Stage.open();
    onTestFinished(() => own.close());
    const { plane } = own;
    const repo = own.repo();
    const first = await own.worker();
    const one = plane.assign({ spec: 'echo 1 > one.txt', needs: shell, workspace: { repo } });
    const { commit = null } = (await plane.untilTold('complete', one.attempt.id)).body.result;
    const bundle = plane.artifactsOf(one.attempt.id).get('bundle')?.id ?? null;
    await first.stop();
    await own.worker({ dataDir: own.path('other'), name: 'w2' });
    const upstream = [
      {
        task: 'task_1',
        key: 'one',
        status: 'completed',
        summary: '',
        edge: 'blocks',
        commit,
        bundle,
        log_tail: [],
      },
    ];
    const two = plane.assign(
      { spec: 'cat one.txt', needs: shell, workspace: { repo } },
      { upstream },
    );
    const { body } = await plane.untilTold('complete', two.attempt.id);
    expect(body.result.commit?.base).toBe(commit?.commit);
    expect(plane.log(two.attempt.id, 'stdout').toString()).toBe('1\n');
  });
});
