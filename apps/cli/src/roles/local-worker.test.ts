import { expect, test } from 'vitest';
import { workerEnv } from './local-worker.ts';

test('the worker inherits the machine, not the keys nor the watch of the process that starts it', () => {
  const own = {
    HOME: '/home/agent',
    BATON_API_KEY: 'bat_1',
    BATON_DATA_DIR: '/data',
    DATABASE_URL: 'postgres://x',
    WATCH_REPORT_DEPENDENCIES: '1',
  };
  expect(workerEnv(own, undefined)).toEqual({ HOME: '/home/agent' });
  expect(workerEnv(own, 'batj_1')).toEqual({ HOME: '/home/agent', BATON_JOIN_TOKEN: 'batj_1' });
});
