import { taskSpec, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { WorkerRow } from '../rows.ts';
import { enginesOf, fits, misfits } from './fits.ts';
import { hardNeedsOf } from './hard-needs.ts';
import { isSameRepo, normaliseRepo } from './repo-name.ts';
import { scoreParts, totalScore } from './score.ts';

function worker(more: Partial<WorkerRow> = {}, capabilities: object = {}): WorkerRow {
  return {
    id: 'wrk_1',
    projectId: 'prj',
    name: 'dev',
    machineId: null,
    labels: { os: 'linux', arch: 'arm64' },
    capabilities: {
      engines: [
        { name: 'shell', auth: 'ok' },
        { name: 'codex', auth: 'missing' },
        { name: 'claude', auth: 'unknown' },
      ],
      repos: [
        { name: 'api-gateway', url: 'git@github.com:Shop/api-gateway.git', path: '/src/api' },
      ],
      languages: ['Rust'],
      tools: ['docker'],
      environments: ['chrome'],
      ...capabilities,
    },
    slots: 4,
    draining: false,
    leaving: false,
    ephemeral: false,
    version: null,
    keyHash: 'h',
    incarnation: 'i',
    presence: 'online',
    lastSeenAtMs: 0,
    lastClaimAtMs: null,
    warmRepos: ['api-gateway'],
    registeredAtMs: 0,
    ...more,
  };
}
const needsOf = (spec: TaskSpecInput) => hardNeedsOf(taskSpec.parse(spec), null);

describe('who may take a task', () => {
  test.each<[TaskSpecInput, string | null]>([
    [{}, null],
    [{ kind: 'command' }, null],
    [{ needs: { engine: 'claude' } }, null],
    [{ needs: { engine: 'codex' } }, 'engine codex is not logged in'],
    [{ needs: { engine: 'gemini' } }, 'does not have engine gemini'],
    [{ needs: { worker: 'dev' } }, null],
    [{ needs: { worker: 'other' } }, 'only other may take it'],
    [{ needs: { repo: 'api-gateway' } }, null],
    [{ needs: { repo: 'https://github.com/shop/api-gateway' } }, null],
    [{ needs: { repo: 'web' } }, 'does not have repo web'],
    [{ workspace: { repo: '/anywhere' } }, null],
    [{ workspace: { repo: 'https://example.org/other' } }, null],
    [{ needs: { tools: ['docker'] } }, null],
    [{ needs: { tools: ['docker', 'make'] } }, 'does not have tool make'],
    [{ needs: { environment: { required: true, class: 'chrome' } } }, null],
    [
      { needs: { environment: { required: true, class: 'gpu' } } },
      'does not offer environment gpu',
    ],
    [{ needs: { environment: { required: false, class: 'gpu' } } }, null],
    [{ needs: { languages: ['cobol'] } }, null],
  ])('%j: %s', (spec, misfit) => {
    expect(misfits(needsOf(spec), worker())).toEqual(misfit === null ? [] : [misfit]);
  });

  test.each([
    ['os = linux', { key: 'os', op: '=', values: ['linux'] }, true],
    ['os = mac', { key: 'os', op: '=', values: ['mac'] }, false],
    ['os != mac', { key: 'os', op: '!=', values: ['mac'] }, true],
    ['zone != eu where there is no zone', { key: 'zone', op: '!=', values: ['eu'] }, true],
    ['os in linux, mac', { key: 'os', op: 'in', values: ['linux', 'mac'] }, true],
    ['zone in eu', { key: 'zone', op: 'in', values: ['eu'] }, false],
    ['arch exists', { key: 'arch', op: 'exists', values: [] }, true],
    ['gpu exists', { key: 'gpu', op: 'exists', values: [] }, false],
  ] as const)('selector %s', (_, term, holds) => {
    const spec = { needs: { selector: [{ ...term, values: [...term.values] }] } };
    expect(fits(needsOf(spec), worker())).toBe(holds);
  });

  test('an agent task without an engine is never run by the shell', () => {
    const onlyShell = worker({}, { engines: [{ name: 'shell', auth: 'ok' }] });
    expect(misfits(needsOf({}), onlyShell)).toEqual(['has no agent engine that is logged in']);
    expect(fits(needsOf({ kind: 'command' }), onlyShell)).toBe(true);
    expect(enginesOf({ engine: null }, worker().capabilities)[0]).toBe('claude');
  });

  test('equal needs have one form', () => {
    const a = needsOf({
      needs: {
        tools: ['b', 'a', 'b'],
        selector: [
          { key: 'os', op: 'in', values: ['z', 'a'] },
          { key: 'arch', op: 'exists' },
        ],
      },
    });
    const b = needsOf({
      needs: {
        tools: ['a', 'b'],
        selector: [
          { key: 'arch', op: 'exists' },
          { key: 'os', op: 'in', values: ['a', 'z'] },
        ],
      },
    });
    expect(a).toEqual(b);
  });
});

describe('the same repository', () => {
  test.each([
    'https://github.com/Shop/api.git',
    'ssh://git@github.com/shop/api',
    'git@github.com:shop/api.git',
    'github.com/shop/api/',
  ])('%s', (text) => {
    expect(normaliseRepo(text)).toBe('github.com/shop/api');
    expect(isSameRepo(text, { name: 'x', url: 'https://github.com/shop/api' })).toBe(true);
  });

  test('paths keep their case', () => {
    expect(normaliseRepo('/Src/Api/')).toBe('/Src/Api');
  });
});

describe('the score', () => {
  const rust = taskSpec.parse({ needs: { repo: 'api-gateway', languages: ['rust'] } });

  test('a rust task in api-gateway gives 255 to an idle, warm worker that made its input', () => {
    const parts = scoreParts({
      spec: rust,
      worker: worker(),
      freeSlots: 4,
      inputMakers: ['wrk_1'],
      continuesOn: null,
    });
    expect(parts).toEqual({
      repo: 100,
      languages: 50,
      free_slots: 50,
      warm: 25,
      made_an_input: 30,
      continues: 0,
    });
    expect(totalScore(parts)).toBe(255);
  });

  test('free slots count by their share, several languages once, and nothing when nothing fits', () => {
    const busy = scoreParts({
      spec: taskSpec.parse({ needs: { languages: ['rust', 'go', 'RUST'] } }),
      worker: worker({ warmRepos: [] }),
      freeSlots: 1,
      inputMakers: ['wrk_2'],
      continuesOn: null,
    });
    expect(busy).toEqual({
      repo: 0,
      languages: 50,
      free_slots: 13,
      warm: 0,
      made_an_input: 0,
      continues: 0,
    });
    const none = scoreParts({
      spec: taskSpec.parse({}),
      worker: worker({ slots: 0 }),
      freeSlots: 0,
      inputMakers: [],
      continuesOn: null,
    });
    expect(totalScore(none)).toBe(0);
  });

  test('the worker that has the workspace which a task goes on in scores for it', () => {
    const facts = { spec: taskSpec.parse({}), worker: worker(), freeSlots: 0, inputMakers: [] };
    expect(scoreParts({ ...facts, continuesOn: 'wrk_1' }).continues).toBe(60);
    expect(scoreParts({ ...facts, continuesOn: 'wrk_2' }).continues).toBe(0);
  });

  test('the repository of the workspace counts like the one that is needed', () => {
    const spec = taskSpec.parse({
      workspace: { repo: 'git@github.com:shop/api-gateway' },
    });
    expect(
      scoreParts({ spec, worker: worker(), freeSlots: 0, inputMakers: [], continuesOn: null }).repo,
    ).toBe(100);
  });
});
