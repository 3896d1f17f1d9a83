import { expect, test } from 'vitest';
import { parseRunFilter, parseRunSearch, paths } from './paths.ts';

test('every page has its address', () => {
  expect({
    home: paths.home(),
    login: paths.login(),
    loginFrom: paths.login('/runs/run_1?task=t'),
    runs: paths.runs(),
    runsFiltered: paths.runs({ status: 'active', text: 'users api' }),
    run: paths.run('run_1'),
    runTab: paths.run('run_1', { tab: 'events' }),
    runTask: paths.run('run_1', { tab: 'graph', task: 'task_2', view: 'diff', attempt: 'att_3' }),
    runViewWithoutTask: paths.run('run_1', { view: 'diff' }),
    strangeId: paths.run('a/b?c'),
    inbox: paths.inbox(),
  }).toMatchInlineSnapshot(`
    {
      "home": "/",
      "inbox": "/inbox",
      "login": "/login",
      "loginFrom": "/login?from=%2Fruns%2Frun_1%3Ftask%3Dt",
      "run": "/runs/run_1",
      "runTab": "/runs/run_1?tab=events",
      "runTask": "/runs/run_1?tab=graph&task=task_2&view=diff&attempt=att_3",
      "runViewWithoutTask": "/runs/run_1",
      "runs": "/runs",
      "runsFiltered": "/runs?status=active&text=users+api",
      "strangeId": "/runs/a%2Fb%3Fc",
    }
  `);
});

test('a search that makes no sense is passed over', () => {
  expect(parseRunSearch({ tab: 'cake', task: '', view: 'why', attempt: 7 })).toEqual({
    tab: undefined,
    task: undefined,
    view: 'why',
    attempt: undefined,
  });
  expect(parseRunFilter({ status: ['x'], text: 'ok' })).toEqual({ status: '', text: 'ok' });
});
