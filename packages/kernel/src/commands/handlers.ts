import type { CommandType } from '@baton/contract';
import { attemptArtifact } from './attempt-artifact.ts';
import { attemptCheckpoint } from './attempt-checkpoint.ts';
import { attemptComplete } from './attempt-complete.ts';
import { attemptFail } from './attempt-fail.ts';
import { attemptNote } from './attempt-note.ts';
import { attemptOutput } from './attempt-output.ts';
import { attemptHeartbeat, attemptProgress } from './attempt-progress.ts';
import { attemptRelease } from './attempt-release.ts';
import { attemptStart } from './attempt-start.ts';
import { checkpointOpen } from './checkpoint-open.ts';
import { checkpointResolve } from './checkpoint-resolve.ts';
import { dependencyAdd } from './dependency-add.ts';
import { dependencyRemove } from './dependency-remove.ts';
import type { Handler } from './handler.ts';
import { joinTokenCreate } from './join-token-create.ts';
import { leaseExpire, leaseGrace } from './lease.ts';
import { runCancel } from './run-cancel.ts';
import { runCreate } from './run-create.ts';
import { runDelivered } from './run-delivered.ts';
import { runSettle } from './run-settle.ts';
import { taskAssign } from './task-assign.ts';
import { taskCancel } from './task-cancel.ts';
import { taskCreate } from './task-create.ts';
import { taskDecide } from './task-decide.ts';
import { taskNote } from './task-note.ts';
import { taskProgress } from './task-progress.ts';
import { taskRetry } from './task-retry.ts';
import { timerFire } from './timer-fire.ts';
import { workDispatch } from './work-dispatch.ts';
import { workerDrain } from './worker-drain.ts';
import { workerGone } from './worker-gone.ts';
import { workerHeartbeat } from './worker-heartbeat.ts';
import { workerHello } from './worker-hello.ts';
import { workerRegister } from './worker-register.ts';
import { workerRemove } from './worker-remove.ts';
import { workerSweep } from './worker-sweep.ts';

/** Who decides each type of command. */
export const HANDLERS: { readonly [T in CommandType]: Handler<T> } = {
  'run.create': runCreate,
  'run.cancel': runCancel,
  'run.delivered': runDelivered,
  'run.settle': runSettle,
  'task.create': taskCreate,
  'task.decide': taskDecide,
  'task.assign': taskAssign,
  'task.cancel': taskCancel,
  'task.retry': taskRetry,
  'task.progress': taskProgress,
  'task.note': taskNote,
  'dependency.add': dependencyAdd,
  'dependency.remove': dependencyRemove,
  'checkpoint.open': checkpointOpen,
  'checkpoint.resolve': checkpointResolve,
  'joinToken.create': joinTokenCreate,
  'worker.register': workerRegister,
  'worker.hello': workerHello,
  'worker.gone': workerGone,
  'worker.heartbeat': workerHeartbeat,
  'worker.drain': workerDrain,
  'worker.remove': workerRemove,
  'worker.sweep': workerSweep,
  'work.dispatch': workDispatch,
  'attempt.start': attemptStart,
  'attempt.heartbeat': attemptHeartbeat,
  'attempt.progress': attemptProgress,
  'attempt.output': attemptOutput,
  'attempt.artifact': attemptArtifact,
  'attempt.checkpoint': attemptCheckpoint,
  'attempt.note': attemptNote,
  'attempt.complete': attemptComplete,
  'attempt.fail': attemptFail,
  'attempt.release': attemptRelease,
  'timer.fire': timerFire,
  'lease.expire': leaseExpire,
  'lease.grace': leaseGrace,
};
