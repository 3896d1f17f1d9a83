import type { RouteExample } from './examples.ts';
import {
  attempt,
  attemptId,
  designId,
  reason,
  run,
  runId,
  task,
  taskDetail,
} from './example-objects.ts';
import type { lifeRoutes } from './life.ts';
import { plain } from './plain-example.ts';

const ofRun = { params: { id: runId } } as const;
const ofTask = { params: { id: designId } } as const;
const ofAttempt = { params: { id: attemptId } } as const;

/** Examples of the routes for the lives of runs and tasks. */
export const LIFE_EXAMPLES: { readonly [N in keyof typeof lifeRoutes]: RouteExample<N> } = {
  pauseRun: { ...ofRun, body: { reason }, reply: plain({ ...run, status: 'paused' } as const) },
  resumeRun: { ...ofRun, body: {}, reply: plain(run) },
  rerunRun: {
    ...ofRun,
    body: {},
    reply: plain({
      run: { ...run, source: 'rerun', rerun_of: runId, lineage_root: runId } as const,
      tasks: [{ ...task, rerun_of: designId }],
      dependencies: [],
      cursor: '1.42',
    }),
  },
  deleteRun: { ...ofRun },
  purgeRun: { ...ofRun, body: {} },
  pauseTask: {
    ...ofTask,
    body: { reason },
    reply: plain({ ...task, status: 'paused', reason } as const),
  },
  resumeTask: { ...ofTask, body: {}, reply: plain({ ...task, status: 'ready' } as const) },
  relaunchTask: {
    ...ofTask,
    body: { downstream: 'keep' },
    reply: plain({ ...task, status: 'ready', generation: 2, attempt_count: 0 } as const),
  },
  rerunTask: {
    ...ofTask,
    body: {},
    reply: plain({ ...taskDetail, status: 'ready', rerun_of: designId } as const),
  },
  reviewTask: {
    ...ofTask,
    body: { action: 'request_changes', reason: 'Paging is missing.' },
    reply: plain({ ...task, status: 'ready', generation: 2 } as const),
  },
  deleteTask: { ...ofTask },
  purgeTask: { ...ofTask, body: {} },
  adoptAttempt: { ...ofAttempt, body: {}, reply: plain(attempt) },
};
