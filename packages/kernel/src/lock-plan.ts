import type { Command } from '@baton/contract';

/** Ids that a command names. Whoever runs it locks their runs, and the workers and tokens themselves. */
export interface LockPlan {
  readonly runs?: readonly string[];
  readonly tasks?: readonly string[];
  readonly attempts?: readonly string[];
  readonly checkpoints?: readonly string[];
  readonly timers?: readonly string[];
  readonly workers?: readonly string[];
  /** As `<projectId>/<name>`. */
  readonly workerNames?: readonly string[];
  readonly joinTokens?: readonly string[];
  /** Projects whose limits change: nothing is handed out in them meanwhile. */
  readonly limitsOf?: readonly string[];
}

/** What a command names before anything is read. */
export function lockPlan(command: Command): LockPlan {
  switch (command.type) {
    case 'run.create':
    case 'joinToken.create':
      return {};
    case 'limit.set':
    case 'limit.remove':
      return { limitsOf: [command.project] };
    case 'budget.set':
      if (command.scope === 'project') return {};
      return command.scope === 'run' ? { runs: [command.id] } : { tasks: [command.id] };
    case 'run.cancel':
    case 'run.replan':
    case 'run.pause':
    case 'run.resume':
    case 'run.rerun':
    case 'run.delete':
    case 'run.purge':
    case 'run.settle':
    case 'await.check':
    case 'run.checkpoint':
    case 'run.update':
      return { runs: [command.run] };
    case 'run.delivered':
      return { runs: [command.run], workers: [command.worker] };
    case 'task.create': {
      const { body, spawner } = command;
      const tasks = body.depends_on.map((it) => (typeof it === 'string' ? it : it.task));
      return {
        tasks,
        ...(body.run === undefined ? {} : { runs: [body.run] }),
        ...(spawner === undefined ? {} : { attempts: [spawner.attempt] }),
      };
    }
    case 'dependency.add':
      return { tasks: [command.task, command.body.upstream] };
    case 'task.decide':
    case 'task.assign':
    case 'task.cancel':
    case 'task.retry':
    case 'task.pause':
    case 'task.resume':
    case 'task.relaunch':
    case 'task.rerun':
    case 'task.review':
    case 'task.delete':
    case 'task.purge':
    case 'task.progress':
    case 'task.note':
    case 'await.cancel':
    case 'task.update':
    case 'task.message':
    case 'dependency.remove':
    case 'checkpoint.open':
      return { tasks: [command.task] };
    case 'checkpoint.resolve':
      return { checkpoints: [command.checkpoint] };
    case 'worker.register':
      return {
        workerNames: [`${command.project}/${command.body.name}`],
        joinTokens: command.joinToken === null ? [] : [command.joinToken],
        workers: command.ownWorker === null ? [] : [command.ownWorker],
      };
    case 'worker.hello':
      return { workers: [command.worker], attempts: command.hello.attempts.map((it) => it.id) };
    case 'worker.heartbeat':
      return { workers: [command.worker], attempts: command.beat.attempts.map((it) => it.id) };
    case 'worker.drain':
    case 'worker.leaving':
    case 'worker.remove':
    case 'worker.gone':
    case 'worker.sweep':
      return { workers: [command.worker] };
    case 'work.dispatch':
      return { workers: command.workers.map((it) => it.worker) };
    case 'timer.fire':
      return { timers: [command.timer] };
    case 'lease.grace':
      return { attempts: command.attempts };
    default:
      return { attempts: [command.attempt] };
  }
}
