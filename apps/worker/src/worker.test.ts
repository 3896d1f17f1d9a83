import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isProcessAlive } from './supervisor/process-tree.ts';
import { findState } from './supervisor/records.ts';
import { staleEpoch } from './testing/fake-control-plane.ts';
import { eventually, Stage, waitFor } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(async () => {
  expect(stage.plane.faults).toEqual([]);
  await stage.close();
});

describe('an attempt', () => {
  test('runs, ships what it says, and is reported once', async () => {
    const { plane } = stage;
    await stage.worker();
    await plane.until(() => plane.told('slots')[0], 'slots');
    expect(plane.told('slots')[0]).toEqual({ type: 'slots', free: 4 });
    const { attempt } = plane.assign({ spec: 'echo out; echo err >&2' });
    const { body } = await plane.untilTold('complete', attempt.id);
    expect(body).toMatchObject({ epoch: 7, exit_code: 0, result: { status: 'success' } });
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('out\n');
    expect(plane.log(attempt.id, 'stderr').toString()).toBe('err\n');
    expect(plane.log(attempt.id, 'agent').toString()).toContain('"type":"outcome"');
    expect(plane.told('started', attempt.id)).toHaveLength(1);
    expect(plane.told('complete', attempt.id)).toHaveLength(1);
  });
});
