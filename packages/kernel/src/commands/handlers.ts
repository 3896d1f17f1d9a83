import type { CommandType } from '@baton/contract';
import { attemptAdopt } from './attempt-adopt.ts';
import { attemptActions } from './attempt-actions.ts';
import { attemptArtifact } from './attempt-artifact.ts';
import { attemptCheckpoint } from './attempt-checkpoint.ts';
import { attemptComplete } from './attempt-complete.ts';
import { attemptFail } from './attempt-fail.ts';
import { attemptNote } from './attempt-note.ts';
import { attemptOutput } from './attempt-output.ts';
import { attemptPlan } from './attempt-plan.ts';
import { attemptHeartbeat, attemptProgress } from './attempt-progress.ts';
import { attemptRelease } from './attempt-release.ts';
import { attemptStart } from './attempt-start.ts';
import { awaitCancel, awaitCheck } from './await-check.ts';
import { awaitOpen } from './await-open.ts';
import { budgetSet } from './budget-set.ts';
import { checkpointOpen } from './checkpoint-open.ts';
import { checkpointResolve } from './checkpoint-resolve.ts';
import { dependencyAdd } from './dependency-add.ts';
import { dependencyRemove } from './dependency-remove.ts';
import { joinTokenCreate } from './join-token-create.ts';
import { leaseExpire, leaseGrace } from './lease.ts';
import { limitRemove, limitSet } from './limit-set.ts';
import { runCancel } from './run-cancel.ts';
import { runCheckpoint } from './run-checkpoint.ts';
import { runCreate } from './run-create.ts';
import { runDelete } from './run-delete.ts';
import { runDelivered } from './run-delivered.ts';
import { runPause } from './run-pause.ts';
import { runPurge } from './run-purge.ts';
import { runReplan } from './run-replan.ts';
import { runRerun } from './run-rerun.ts';
import { runResume } from './run-resume.ts';
import { runSettle } from './run-settle.ts';
import { runUpdate } from './run-update.ts';
import { taskAssign } from './task-assign.ts';
import { taskCancel } from './task-cancel.ts';
import { taskCreate } from './task-create.ts';
import { taskDecide } from './task-decide.ts';
import { taskDelete } from './task-delete.ts';
import { taskMessage, taskNote } from './task-note.ts';
import { taskPause } from './task-pause.ts';
import { taskProgress } from './task-progress.ts';
import { taskPurge } from './task-purge.ts';
import { taskRelaunch } from './task-relaunch.ts';
import { taskRerun } from './task-rerun.ts';
import { taskResume } from './task-resume.ts';
import { taskRetry } from './task-retry.ts';
import { taskReview } from './task-review.ts';
import { taskUpdate } from './task-update.ts';
import { timerFire } from './timer-fire.ts';
import { workDispatch } from './work-dispatch.ts';
import { workerDrain } from './worker-drain.ts';
import { workerGone } from './worker-gone.ts';
import { workerHeartbeat } from './worker-heartbeat.ts';
import { workerHello } from './worker-hello.ts';
import { workerLeaving } from './worker-leaving.ts';
import { workerRegister } from './worker-register.ts';
import { workerRemove } from './worker-remove.ts';
import { workerSweep } from './worker-sweep.ts';
import type { Handler } from './handler.ts';

/** Who decides each type of command. */
export const HANDLERS: { readonly [T in CommandType]: Handler<T> } = {
  'run.create': runCreate,
  'run.cancel': runCancel,
  'run.replan': runReplan,
  'run.pause': runPause,
  'run.resume': runResume,
  'run.rerun': runRerun,
  'run.delete': runDelete,
  'run.purge': runPurge,
  'run.delivered': runDelivered,
  'run.settle': runSettle,
  'task.create': taskCreate,
  'task.decide': taskDecide,
  'task.assign': taskAssign,
  'task.cancel': taskCancel,
  'task.retry': taskRetry,
  'task.pause': taskPause,
  'task.resume': taskResume,
  'task.relaunch': taskRelaunch,
  'task.rerun': taskRerun,
  'task.review': taskReview,
  'task.delete': taskDelete,
  'task.purge': taskPurge,
  'task.progress': taskProgress,
  'task.note': taskNote,
  'task.update': taskUpdate,
  'task.message': taskMessage,
  'run.checkpoint': runCheckpoint,
  'run.update': runUpdate,
  'dependency.add': dependencyAdd,
  'dependency.remove': dependencyRemove,
  'checkpoint.open': checkpointOpen,
  'checkpoint.resolve': checkpointResolve,
  'joinToken.create': joinTokenCreate,
  'worker.register': workerRegister,
  'worker.hello': workerHello,
  'worker.gone': workerGone,
  'worker.heartbeat': workerHeartbeat,
  'worker.leaving': workerLeaving,
  'worker.drain': workerDrain,
  'worker.remove': workerRemove,
  'budget.set': budgetSet,
  'limit.set': limitSet,
  'limit.remove': limitRemove,
  'worker.sweep': workerSweep,
  'work.dispatch': workDispatch,
  'attempt.adopt': attemptAdopt,
  'attempt.start': attemptStart,
  'attempt.heartbeat': attemptHeartbeat,
  'attempt.progress': attemptProgress,
  'attempt.output': attemptOutput,
  'attempt.artifact': attemptArtifact,
  'attempt.checkpoint': attemptCheckpoint,
  'attempt.plan': attemptPlan,
  'attempt.note': attemptNote,
  'attempt.actions': attemptActions,
  'await.open': awaitOpen,
  'await.cancel': awaitCancel,
  'await.check': awaitCheck,
  'attempt.complete': attemptComplete,
  'attempt.fail': attemptFail,
  'attempt.release': attemptRelease,
  'timer.fire': timerFire,
  'lease.expire': leaseExpire,
  'lease.grace': leaseGrace,
};
