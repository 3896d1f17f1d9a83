import type { RunGraph, Task } from '@baton/contract';
import { expect, test } from 'vitest';
import { createOutput } from '../terminal/output.ts';
import { BUILD, NOW_MS, RUN, TASK } from '../testing/samples.ts';
import { createTableViewer } from './table-viewer.ts';

const graphOf = (status: RunGraph['run']['status'], tasks: readonly Task[]): RunGraph => ({
  run: { ...RUN, status },
  tasks: [...tasks],
  dependencies: [],
  cursor: '1.9',
});

test('the last table shows how every task ended, drawn over the one before', async () => {
  let written = '';
  const write = (text: string): boolean => {
    written += text;
    return true;
  };
  const out = createOutput({ write, isTTY: true, columns: 60, rows: 20 }, false);
  const last = graphOf('completed', [TASK, { ...BUILD, status: 'completed' }]);
  const viewer = createTableViewer(
    out,
    () => Promise.resolve(last),
    () => NOW_MS,
  );
  viewer.start(graphOf('running', [TASK, BUILD]));
  const first = written;
  expect(first).toContain('build   running    forge   30s   40% writing');
  written = '';
  await viewer.end(last.run);
  expect(written).toContain(`\u001b[${first.trimEnd().split('\n').length}A`);
  expect(written).toContain('build   completed  forge   30s');
  expect(written).toContain('run_1 completed Users API');
});
