import type { Explanation, Task, TaskDetail } from '@baton/contract';
import { join, paint, show, stack, type Shown } from '../terminal/shown.ts';
import { statusText } from '../terminal/status-text.ts';
import { facts, table } from '../terminal/table.ts';
import { ago } from '../terminal/time-text.ts';
import { section } from './run-view.ts';

/** Tasks of several runs below each other. */
export function taskList(tasks: readonly Task[], nowMs: number, columns: number): Shown {
  return table(
    ['ID', 'KEY', 'STATUS', 'WORKER', 'UPDATED', 'TITLE'],
    tasks.map((task) => [
      task.id,
      task.key,
      statusText(task.status),
      task.worker_name ?? '',
      ago(task.updated_at, nowMs),
      task.title,
    ]),
    columns,
  );
}

/** Where the check of a task's result stands, in words. */
function verificationText({ verification, verifies }: Task): string | undefined {
  if (verifies !== null) return `checks attempt ${verifies.attempt} of ${verifies.task}`;
  if (verification === null) return undefined;
  const { verdict, check, by, rejections, reason } = verification;
  const before = rejections === 0 ? '' : `, rejected ${rejections} times`;
  if (verdict === null) return `by ${check ?? '?'}${by === null ? '' : ` (${by})`}${before}`;
  return `${verdict}${before}${verdict === 'rejected' && reason !== null ? `: ${reason}` : ''}`;
}

/** Everything about one task that a person wants first. */
export function taskPage(task: TaskDetail, nowMs: number): Shown {
  const edges = (list: TaskDetail['dependencies'], end: 'upstream_key' | 'downstream_key') =>
    list.length === 0
      ? undefined
      : join(
          list.map(
            (edge) =>
              show`${edge[end]} (${edge.type}${edge.contract_key === null ? '' : ` ${edge.contract_key}`}${edge.satisfied ? '' : ', open'})`,
          ),
          ', ',
        );
  return stack(
    facts([
      ['task', task.id],
      ['key', task.key],
      ['run', task.run],
      ['title', task.title],
      [
        'status',
        task.reason === null
          ? statusText(task.status)
          : show`${statusText(task.status)} (${task.reason})`,
      ],
      ['engine', task.spec.needs.engine],
      ['worker', task.worker_name],
      ['assigned', task.assigned_worker],
      ['attempts', task.attempt_count],
      [
        'progress',
        task.progress === null
          ? undefined
          : `${task.progress.percent ?? '?'}% ${task.progress.text}`,
      ],
      ['failure', task.failure_class],
      ['checked', verificationText(task)],
      ['needs', edges(task.dependencies, 'upstream_key')],
      ['serves', edges(task.dependents, 'downstream_key')],
      [
        'outputs',
        join(
          task.outputs.map(({ key, type }) => show`${key} (${type})`),
          ', ',
        ),
      ],
      ['commit', task.result?.commit?.commit],
      ['updated', ago(task.updated_at, nowMs)],
    ]),
    ...task.open_checkpoints.map(
      ({ id, kind, question }) =>
        show`${paint.yellow('open')} ${kind} ${paint.dim(id)} ${question}`,
    ),
    section('spec', task.spec.spec),
    section('summary', task.result?.summary ?? ''),
  );
}

/** Why a task is in its state, and who could take it. */
export function explanationPage(it: Explanation): Shown {
  return stack(
    show`${statusText(it.status)} ${it.sentence}`,
    it.next !== null && show`${paint.dim('next')} ${it.next}`,
    it.waits_for.length > 0 &&
      show`${paint.dim('waits for')} ${join(
        it.waits_for.map(({ key, status }) => show`${key} (${statusText(status)})`),
        ', ',
      )}`,
    ...it.holds
      .filter(({ kind }) => kind !== 'dependency')
      .map(
        ({ kind, what, until, by }) =>
          show`${paint.dim(kind)} ${what}${by.length === 0 ? '' : `, held by ${by.join(', ')}`}${until === null ? '' : ` (until ${until})`}`,
      ),
    it.candidates.length > 0 &&
      stack(
        paint.plain(''),
        table(
          ['WORKER', 'SCORE', 'WHY'],
          it.candidates.map((worker) => [
            worker.name === it.winner ? paint.green(worker.name) : worker.name,
            worker.score ?? '-',
            worker.eligible
              ? Object.entries(worker.parts)
                  .filter(([, points]) => points !== 0)
                  .map(([part, points]) => `${part} ${points}`)
                  .join(', ')
              : worker.disqualified.join('; '),
          ]),
        ),
      ),
  );
}
