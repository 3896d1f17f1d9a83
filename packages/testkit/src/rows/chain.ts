import { taskSpec } from '@baton/contract';
import type { RowSet } from './insert-rows.ts';
import { SAMPLE_AT_MS } from './sample-rows.ts';

const at = (n: number): number => SAMPLE_AT_MS + n;
const spec = (fields: object) => taskSpec.parse(fields);

/** A run of a chain task_a -> task_b -> task_c with a question at its head, and things beside it. */
export const CHAIN: RowSet = {
  runs: [
    { id: 'run_aaaa1111', createdAtMs: at(1), labels: { team: 'red', prio: 'high' }, seq: 2 },
    { id: 'run_aaaa2222', createdAtMs: at(2), goal: 'Paint 100% of it', status: 'waiting' },
    { id: 'run_bbbb3333', createdAtMs: at(2), status: 'failed', endedAtMs: at(9) },
    { id: 'run_cccc4444', projectId: 'prj_2', createdAtMs: at(4) },
  ],
  tasks: [
    {
      id: 'task_aaaaaaaa',
      runId: 'run_aaaa1111',
      key: 'a',
      position: 0,
      createdAtMs: at(1),
      status: 'completed',
      endedAtMs: at(5),
      resultAttemptId: 'att_aaaa',
      attemptId: 'att_aaaa',
      workerId: 'wrk_1',
    },
    {
      id: 'prj_1.dash-7',
      runId: 'run_aaaa1111',
      key: 'b',
      position: 1,
      createdAtMs: at(2),
      status: 'waiting',
      attemptId: 'att_bbbb',
      workerId: 'wrk_2',
      priority: 0,
    },
    {
      id: 'task_cccccccc',
      runId: 'run_aaaa1111',
      key: 'c',
      position: 2,
      createdAtMs: at(3),
      assignedWorker: 'two',
    },
    { id: 'task_dddddddd', runId: 'run_aaaa2222', key: 'd', createdAtMs: at(4) },
  ],
  taskSpecs: [
    { taskId: 'task_aaaaaaaa', runId: 'run_aaaa1111', title: 'Design', origin: 'ses_1' },
    {
      taskId: 'prj_1.dash-7',
      runId: 'run_aaaa1111',
      title: 'Build',
      spec: spec({
        spec: 'make api_v2',
        role: 'verifier',
        labels: { area: 'api' },
        needs: { engine: 'claude' },
        dependency_log_lines: 2,
      }),
    },
    {
      taskId: 'task_cccccccc',
      runId: 'run_aaaa1111',
      title: 'Check',
      parentTaskId: 'task_aaaaaaaa',
      spec: spec({ outputs: [{ key: 'report', schema: { type: 'object' } }, { key: 'any' }] }),
    },
    { taskId: 'task_dddddddd', runId: 'run_aaaa2222', title: 'Delta' },
  ],
  dependencies: [
    {
      id: 'dep_ab',
      runId: 'run_aaaa1111',
      upstreamId: 'task_aaaaaaaa',
      downstreamId: 'prj_1.dash-7',
      type: 'input',
      contractKey: 'api',
      inputName: 'api',
    },
    {
      id: 'dep_bc',
      runId: 'run_aaaa1111',
      upstreamId: 'prj_1.dash-7',
      downstreamId: 'task_cccccccc',
    },
  ],
  attempts: [
    {
      id: 'att_aaaa',
      taskId: 'task_aaaaaaaa',
      runId: 'run_aaaa1111',
      status: 'succeeded',
      endedAtMs: at(5),
      result: { status: 'success', summary: 'designed' },
    },
    {
      id: 'att_lost',
      taskId: 'prj_1.dash-7',
      runId: 'run_aaaa1111',
      epoch: 1,
      status: 'lost',
      failureClass: 'lost',
      endedAtMs: at(6),
      claimedAtMs: at(5),
      workerId: 'wrk_gone',
    },
    {
      id: 'att_bbbb',
      taskId: 'prj_1.dash-7',
      runId: 'run_aaaa1111',
      epoch: 2,
      status: 'parked',
      claimedAtMs: at(6),
      workerId: 'wrk_2',
      engine: 'claude',
    },
    {
      id: 'att_cccc',
      taskId: 'task_cccccccc',
      runId: 'run_aaaa1111',
      status: 'claimed',
      workerId: 'wrk_2',
      startedAtMs: null,
      claimedAtMs: at(7),
    },
  ],
  outputs: [
    { id: 'o1', taskId: 'task_aaaaaaaa', runId: 'run_aaaa1111', attemptId: 'att_aaaa' },
    { id: 'o2', taskId: 'task_dddddddd', runId: 'run_aaaa2222' },
  ],
  artifacts: [
    { id: 'art_1', taskId: 'task_aaaaaaaa', runId: 'run_aaaa1111', createdAtMs: at(1) },
    {
      id: 'art_2',
      taskId: 'task_aaaaaaaa',
      runId: 'run_aaaa1111',
      createdAtMs: at(2),
      kind: 'bundle',
    },
  ],
  notes: [1, 2, 3].map((n) => ({
    id: `note_${n}`,
    taskId: 'prj_1.dash-7',
    runId: 'run_aaaa1111',
    createdAtMs: at(n),
  })),
  checkpoints: [
    {
      id: 'chk_tail',
      runId: 'run_aaaa2222',
      taskId: 'task_dddddddd',
      attemptId: null,
      openedAtMs: at(1),
    },
    {
      id: 'chk_head',
      runId: 'run_aaaa1111',
      taskId: 'prj_1.dash-7',
      attemptId: 'att_bbbb',
      openedAtMs: at(2),
    },
    {
      id: 'chk_done',
      runId: 'run_aaaa1111',
      taskId: 'prj_1.dash-7',
      attemptId: 'att_bbbb',
      status: 'cancelled',
      openedAtMs: at(0),
      closedAtMs: at(1),
    },
  ],
  needs: [{ id: 'needs_1' }, { id: 'needs_2' }],
  ready: [
    { taskId: 'task_r1', needsId: 'needs_1' },
    { taskId: 'task_r2', needsId: 'needs_1' },
    { taskId: 'task_r3', needsId: 'needs_1', held: 'backoff' },
    { taskId: 'task_r4', needsId: 'needs_2' },
    { taskId: 'task_r5', needsId: 'needs_2', projectId: 'prj_2' },
  ],
  workers: [
    { id: 'wrk_1', name: 'one' },
    { id: 'wrk_2', name: 'two', keyHash: 'k2', ephemeral: true, lastSeenAtMs: Date.now() },
    { id: 'wrk_3', name: 'gone', keyHash: 'k3', ephemeral: true, lastSeenAtMs: 1 },
    { id: 'wrk_4', name: 'one', keyHash: 'k4', projectId: 'prj_2' },
  ],
};
