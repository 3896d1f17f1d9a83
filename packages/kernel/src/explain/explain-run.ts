import { isTerminalRun, type RunExplanation, type RunGraph, type Task } from '@baton/contract';

type Wait = RunExplanation['waits_for'][number];
type Told = Pick<RunExplanation, 'sentence' | 'next'>;

/** What each kind of wait is called, and what ends it. In the order in which they are told. */
const WAYS_ON: { readonly [K in Wait['kind']]: { readonly words: string; readonly next: string } } =
  {
    work: { words: 'work on', next: 'a result is reported' },
    delivery: { words: 'the delivery of its result', next: 'the worker that has it reports' },
    barrier: { words: 'a decision on the whole run', next: 'decide it: baton inbox' },
    checkpoint: { words: 'a person, about', next: 'answer it: baton inbox' },
    review: { words: 'a review of', next: 'approve it: baton task review TASK --approve' },
    plan: { words: 'a new plan', next: 'give it one: baton run replan' },
    assignment: { words: 'somebody to assign', next: 'assign it: baton task assign TASK WORKER' },
    worker: { words: 'a worker or a free place for', next: 'see: baton task explain TASK' },
    paused: { words: 'somebody to resume', next: 'resume it: baton task resume TASK' },
  };

/**
 * Why a run is where it is: what it waits for, and what would change that; what moves by itself first.
 * Looks at the graph as clients see it.
 */
export function explainRun({ run, tasks, dependencies }: RunGraph): RunExplanation {
  const waits: Wait[] = [];
  const wait = (kind: Wait['kind'], task: Task | null, what: string): void => {
    waits.push({ kind, task: task?.id ?? null, key: task?.key ?? null, what });
  };
  if (!isTerminalRun(run.status)) {
    for (const task of tasks) {
      const found = waitOf(task);
      if (found !== null) wait(found[0], task, found[1]);
    }
    const behind = new Map(tasks.map((it) => [it.id, it]));
    const unjudged = dependencies
      .filter((it) => it.type === 'gate' && !it.satisfied)
      .filter((it) => isWaiting(behind.get(it.downstream)))
      .map((it) => it.upstream);
    for (const task of tasks) {
      const isUnjudged = task.status === 'completed' && unjudged.includes(task.id);
      if (isUnjudged) wait('review', task, `${task.key} is done, and behind it waits a gate`);
    }
    const asked = tasks.filter((it) => it.needs_human).length;
    if (run.needs_human > asked)
      wait('barrier', null, 'nothing is handed out before it is decided');
    if (run.delivery.state === 'pending')
      wait('delivery', null, run.delivery.branch ?? 'its commit');
    if (run.reason?.startsWith('replan_needed:') === true) wait('plan', null, run.reason);
  }
  return { run: run.id, status: run.status, ...tell(run, waits), waits_for: waits };
}

function waitOf(task: Task): [Wait['kind'], string] | null {
  const { status, reason, key } = task;
  if (task.needs_human) return ['checkpoint', `${key} is ${status} (${reason ?? 'a question'})`];
  if (status === 'running' || status === 'verifying') {
    const where = task.worker_name === null ? '' : ` on ${task.worker_name}`;
    return ['work', `${key} is ${status}${where}`];
  }
  if (status === 'paused') return ['paused', `${key} is paused (${reason ?? 'by a person'})`];
  if (status === 'ready') {
    if (reason === 'waiting_for_assignment') return ['assignment', `${key} is held for a person`];
    return ['worker', `${key} is ready (${reason ?? 'nobody has taken it'})`];
  }
  return status === 'waiting' ? ['work', `${key} waits (${reason ?? 'for its time'})`] : null;
}

/** Whether a task waits and is in play: the gate before it has not been judged. */
function isWaiting(task: Task | undefined): boolean {
  return task?.status === 'blocked' && task.reason === null;
}

function tell(run: RunGraph['run'], waits: readonly Wait[]): Told {
  if (run.status === 'completed') return { sentence: 'It is completed.', next: null };
  if (isTerminalRun(run.status)) {
    const why = run.reason === null ? '' : ` (${run.reason})`;
    return { sentence: `It ended as ${run.status}${why}.`, next: 'retry what stopped it' };
  }
  if (run.status === 'cancelling') {
    return { sentence: 'It is being cancelled.', next: 'its last process ends' };
  }
  if (run.status === 'planning') {
    return { sentence: 'It is still being written.', next: 'all of its tasks are there' };
  }
  const parts = (Object.keys(WAYS_ON) as Wait['kind'][]).flatMap((kind) => {
    const keys = waits.filter((it) => it.kind === kind).map((it) => it.key);
    if (keys.length === 0) return [];
    const named = keys.filter((it) => it !== null);
    const way = WAYS_ON[kind];
    return [
      { words: `${way.words}${listOf(named)}`, next: way.next.replace('TASK', named[0] ?? '') },
    ];
  });
  const [first] = parts;
  if (run.status === 'paused') {
    return { sentence: `It is paused${because(run.reason)}.`, next: 'resume it: baton run resume' };
  }
  if (first === undefined) return { sentence: `It is ${run.status}.`, next: null };
  const words = parts.map((it) => it.words).join('; ');
  return { sentence: `It waits for ${words}.`, next: first.next };
}

function because(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}

function listOf(keys: readonly string[]): string {
  if (keys.length === 0) return '';
  const more = keys.length > 5 ? ` and ${keys.length - 5} more` : '';
  return ` ${keys.slice(0, 5).join(', ')}${more}`;
}
