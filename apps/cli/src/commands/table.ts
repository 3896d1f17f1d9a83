import type { Command } from '../command.ts';
import { dbBackup } from './db/backup.ts';
import { dbCheck } from './db/check.ts';
import { dbExport } from './db/export.ts';
import { dbMigrate } from './db/migrate.ts';
import { dbRestore } from './db/restore.ts';
import { budgetList } from './budget/list.ts';
import { budgetRemove } from './budget/remove.ts';
import { budgetSet } from './budget/set.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { engineList } from './engine/list.ts';
import { inboxAnswer } from './inbox/answer.ts';
import { inboxList } from './inbox/list.ts';
import { keyCreate } from './key/create.ts';
import { keyList } from './key/list.ts';
import { keyRevoke } from './key/revoke.ts';
import { limitList } from './limit/list.ts';
import { limitRemove } from './limit/remove.ts';
import { limitSet } from './limit/set.ts';
import { login } from './login.ts';
import { open } from './open.ts';
import { ps } from './ps.ts';
import { runCancel } from './run/cancel.ts';
import { runHold } from './run/hold.ts';
import { runList } from './run/list.ts';
import { run } from './run/run.ts';
import { runDelete } from './run/delete.ts';
import { runPause } from './run/pause.ts';
import { runPurge } from './run/purge.ts';
import { runReplan } from './run/replan.ts';
import { runRerun } from './run/rerun.ts';
import { runResume } from './run/resume.ts';
import { runExplain } from './run/explain.ts';
import { runTimeline } from './run/timeline.ts';
import { runValidate } from './run/validate.ts';
import { runView } from './run/view.ts';
import { runWatch } from './run/watch.ts';
import { server } from './server.ts';
import { stats } from './stats.ts';
import { taskActions } from './task/actions.ts';
import { taskAnswer } from './task/answer.ts';
import { taskApprove } from './task/approve.ts';
import { taskArtifactAdd } from './task/artifact/add.ts';
import { taskAsk } from './task/ask.ts';
import { taskAssign } from './task/assign.ts';
import { taskAwait } from './task/await.ts';
import { taskCancel } from './task/cancel.ts';
import { taskCheck } from './task/check.ts';
import { taskChildren } from './task/children.ts';
import { taskCreate } from './task/create.ts';
import { taskDepsAdd } from './task/deps/add.ts';
import { taskDepsRemove } from './task/deps/remove.ts';
import { taskDiff } from './task/diff.ts';
import { taskDone } from './task/done.ts';
import { taskExplain } from './task/explain.ts';
import { taskFail } from './task/fail.ts';
import { taskHelp } from './task/help.ts';
import { taskList } from './task/list.ts';
import { logsShort, taskLogs } from './task/logs.ts';
import { taskNote } from './task/note.ts';
import { taskNotes } from './task/notes.ts';
import { taskMessage } from './task/message.ts';
import { taskPlan } from './task/plan.ts';
import { taskUpdate } from './task/update.ts';
import { taskOutputList } from './task/output/list.ts';
import { taskOutputSet } from './task/output/set.ts';
import { taskProgress } from './task/progress.ts';
import { taskReject } from './task/reject.ts';
import { taskAdopt } from './task/adopt.ts';
import { taskDelete } from './task/delete.ts';
import { taskPause } from './task/pause.ts';
import { taskPurge } from './task/purge.ts';
import { taskRelaunch } from './task/relaunch.ts';
import { taskRerun } from './task/rerun.ts';
import { taskResume } from './task/resume.ts';
import { taskReview } from './task/review.ts';
import { taskRetry } from './task/retry.ts';
import { taskSpawn } from './task/spawn.ts';
import { taskView } from './task/view.ts';
import { taskWait } from './task/wait.ts';
import { taskWake } from './task/wake.ts';
import { up } from './up.ts';
import { wait } from './wait.ts';
import { workerDrain } from './worker/drain.ts';
import { workerList } from './worker/list.ts';
import { workerRemove } from './worker/remove.ts';
import { workerTokenCommand } from './worker/token.ts';
import { workerUndrain } from './worker/undrain.ts';
import { workerView } from './worker/view.ts';
import { worker } from './worker/worker.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  up,
  server,
  worker,
  demo,
  login,
  doctor,
  run,
  runList,
  runView,
  runWatch,
  runPause,
  runResume,
  runExplain,
  runTimeline,
  runCancel,
  runHold,
  runReplan,
  runRerun,
  runDelete,
  runPurge,
  runValidate,
  taskCreate,
  taskList,
  taskView,
  taskCheck,
  taskLogs,
  taskDiff,
  taskExplain,
  taskApprove,
  taskReject,
  taskAnswer,
  taskRetry,
  taskRelaunch,
  taskRerun,
  taskPause,
  taskResume,
  taskCancel,
  taskReview,
  taskAdopt,
  taskDelete,
  taskPurge,
  taskAssign,
  taskDepsAdd,
  taskDepsRemove,
  taskWait,
  taskSpawn,
  taskChildren,
  taskAwait,
  taskWake,
  taskActions,
  taskAsk,
  taskPlan,
  taskProgress,
  taskNote,
  taskNotes,
  taskMessage,
  taskUpdate,
  taskOutputSet,
  taskOutputList,
  taskArtifactAdd,
  taskDone,
  taskFail,
  taskHelp,
  inboxList,
  inboxAnswer,
  workerList,
  workerView,
  workerTokenCommand,
  workerDrain,
  workerUndrain,
  workerRemove,
  engineList,
  limitList,
  limitSet,
  limitRemove,
  budgetList,
  budgetSet,
  budgetRemove,
  keyList,
  keyCreate,
  keyRevoke,
  dbCheck,
  dbBackup,
  dbRestore,
  dbExport,
  dbMigrate,
  ps,
  stats,
  logsShort,
  open,
  wait,
];
