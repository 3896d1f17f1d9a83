import { isTerminalTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { list } from '../need.ts';
import { loadLives } from '../task/end-task.ts';
import { RUN_PAUSED } from '../task/open-task.ts';
import { isPausedWithRun, pauseTask, resumeTask } from '../task/pause-task.ts';
import { BUDGET } from '../task/change-task.ts';
import { moveRun } from './settle.ts';

/** Suspends a run that goes on: its agents are stopped and nothing of it starts until it is resumed. */
export function pauseRun(draft: Draft, id: string, told: string, reason: string | null): void {
  draft.load([list('tasksOfRun', id)]);
  moveRun(draft, id, 'pause', 'paused', reason === null ? {} : { reason });
  draft.event('run.paused', { run: id }, { reason: told });
  const moving = draft
    .list('tasksOfRun', id)
    .filter((it) => !isTerminalTask(it.status) && it.status !== 'blocked')
    .toSorted((a, b) => a.position - b.position)
    .map((it) => it.id);
  loadLives(draft, moving);
  for (const task of moving) pauseTask(draft, task, RUN_PAUSED);
  draft.touchRun(id);
}

/** Lets a paused run go on. Tasks that were paused for themselves stay so. */
export function resumeRun(draft: Draft, id: string): void {
  draft.load([list('tasksOfRun', id)]);
  const { reason } = draft.get('runs', id);
  moveRun(draft, id, 'resume', 'running', reason === BUDGET ? { reason: null } : {});
  draft.event('run.resumed', { run: id }, {});
  const paused = draft
    .list('tasksOfRun', id)
    .filter(isPausedWithRun)
    .toSorted((a, b) => a.position - b.position)
    .map((it) => it.id);
  loadLives(draft, paused);
  for (const task of paused) resumeTask(draft, task);
  draft.touchRun(id);
}
