import type { Candidate, Explanation, ExplanationHold } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import type { TaskRow } from '../rows.ts';

interface Facts {
  readonly task: TaskRow;
  readonly candidates: readonly Candidate[];
  readonly winner: string | null;
  readonly holds: readonly ExplanationHold[];
  readonly waitsFor: Explanation['waits_for'];
}

type Told = Pick<Explanation, 'sentence' | 'next'>;

/** One sentence on why a task is where it is, and one on what would change that. */
export function sentenceOf(draft: Draft, facts: Facts): Told {
  const { task } = facts;
  const worker = nameOf(draft, task.workerId);
  switch (task.status) {
    case 'blocked':
      return blocked(draft, facts);
    case 'awaiting_approval':
      return {
        sentence: 'Somebody must approve that it may start.',
        next: 'approve or reject it',
      };
    case 'ready':
      return ready(facts);
    case 'running':
      return { sentence: `${worker} works on it.`, next: `${worker} reports its result` };
    case 'waiting':
      return waiting(facts);
    case 'verifying':
      return verifying(task);
    case 'paused':
      return paused(draft, facts);
    default:
      return ended(draft, task);
  }
}

function verifying({ verification }: TaskRow): Told {
  const by = verification?.check === 'judge' ? 'a judge' : 'commands';
  const commit = verification?.commit ?? null;
  const what = commit === null ? 'Its result' : `Its result, commit ${commit.slice(0, 12)},`;
  return {
    sentence: `${what} is being checked by ${by}; nothing that it hands on counts before.`,
    next: 'the verdict',
  };
}

function blocked(draft: Draft, { task, waitsFor }: Facts): Told {
  const failed = /^(dependency|gate)_failed:(.+)$/.exec(task.reason ?? '');
  if (task.outOfPlay && failed !== null) {
    const [, kind, key = ''] = failed;
    const what = kind === 'gate' ? `the gate ${key} did not open` : `${key} did not succeed`;
    return { sentence: `It cannot start, because ${what}.`, next: `retry ${key}` };
  }
  const unjudged = waitsFor.filter((it) => it.type === 'gate' && it.status === 'completed');
  if (unjudged.length > 0) {
    const names = listOf(unjudged.map(({ key }) => key));
    return {
      sentence: `It waits for a review of ${names}, which is done.`,
      next: `approve ${names}: baton task review ${names} --approve`,
    };
  }
  const words = waitsFor.map(({ key, task: id, status }) => {
    const { workerId } = draft.get('tasks', id);
    const where = status === 'running' ? ` on ${nameOf(draft, workerId)}` : '';
    return `${key} (${status}${where})`;
  });
  const [only] = waitsFor;
  return {
    sentence: `It waits for ${listOf(words)}.`,
    next:
      waitsFor.length === 1 && only !== undefined
        ? `${only.key} is completed`
        : 'all of them are completed',
  };
}

function waiting({ task, holds }: Facts): Told {
  if (task.reason === 'rate_limited' && task.retryAtMs !== null) {
    const at = isoOf(task.retryAtMs);
    return {
      sentence: `It waits until its provider's limit resets at ${at}.`,
      next: `the time comes (${at})`,
    };
  }
  if (task.reason === 'await') {
    return {
      sentence: 'Its agent ended its turn and awaits tasks that it handed on.',
      next: 'they end, or their deadline comes; baton task wake resumes it at once',
    };
  }
  const question = holds.find(({ kind }) => kind === 'question' || kind === 'approval');
  return {
    sentence: `It waits for a person: ${question?.what ?? task.reason ?? 'a question is open'}`,
    next: 'answer it',
  };
}

function paused(draft: Draft, { task, holds }: Facts): Told {
  const run = draft.get('runs', task.runId);
  const isBudget = task.reason === 'budget' || (run.status === 'paused' && run.reason === 'budget');
  if (isBudget) {
    const spent = holds.find(({ kind }) => kind === 'budget')?.what ?? 'its budget is spent';
    return { sentence: `It is paused: ${spent}.`, next: 'raise the budget (baton budget set)' };
  }
  if (task.reason === 'run_paused') {
    return { sentence: 'It is paused with its run.', next: 'resume the run' };
  }
  return { sentence: `It is paused${because(task.reason)}.`, next: 'resume it' };
}

/** What holds a ready task is told in the order in which it must go. */
function ready({ task, candidates, winner, holds }: Facts): Told {
  const [hold] = holds.filter(
    ({ kind }) => kind !== 'parked' || candidates.every((it) => !it.eligible),
  );
  if (winner === null && hold !== undefined && !candidates.some(({ eligible }) => eligible)) {
    return heldReady(task, hold);
  }
  if (task.reason === 'budget' || task.reason === 'barrier' || task.reason === 'stopping') {
    return { sentence: `It is held back: ${hold?.what ?? task.reason}.`, next: nextOf(hold) };
  }
  if (task.reason !== null && hold !== undefined) return heldReady(task, hold);
  if (winner !== null) {
    return { sentence: `It is ready and goes to ${winner}.`, next: `${winner} takes it` };
  }
  if (candidates.length === 0) {
    return {
      sentence: 'It is ready, and no worker has joined yet.',
      next: 'start a worker: baton worker',
    };
  }
  const able = candidates.filter(({ eligible }) => eligible);
  if (able.length > 0) {
    const names = listOf(able.map(({ name }) => name));
    return {
      sentence: `It is ready; other work is before it in the queue of ${names}.`,
      next: 'what is before it is taken, and a slot is free again',
    };
  }
  const full = candidates.filter(({ disqualified }) =>
    disqualified.every((why) => why.startsWith('has no free slot')),
  );
  if (full.length > 0) {
    const names = listOf(full.map(({ name }) => name));
    return { sentence: `It waits for a free slot of ${names}.`, next: 'a task there ends' };
  }
  const [first] = candidates.toSorted((a, b) => a.disqualified.length - b.disqualified.length);
  const why =
    first === undefined ? '' : ` The nearest is ${first.name}: ${listOf(first.disqualified)}.`;
  return {
    sentence: `No worker that is here fits.${why}`,
    next: 'a worker that fits comes online',
  };
}

function heldReady(task: TaskRow, hold: ExplanationHold): Told {
  if (hold.kind === 'assignment') {
    return { sentence: 'It is held until somebody assigns it.', next: 'assign it to a worker' };
  }
  if (hold.kind === 'backoff' && hold.until !== null) {
    return {
      sentence: `It is tried again at ${hold.until}.`,
      next: `the time comes (${hold.until})`,
    };
  }
  const by = hold.by.length === 0 ? '' : `, held by ${listOf(hold.by)}`;
  return { sentence: `It is ready and may not start: ${hold.what}${by}.`, next: nextOf(hold) };
}

function nextOf(hold: ExplanationHold | undefined): string {
  switch (hold?.kind) {
    case 'limit':
      return hold.by.length === 0 ? 'raise the limit (baton limit set)' : 'one of them ends';
    case 'budget':
      return 'what is set aside and not spent is given back, or the budget is raised';
    case 'barrier':
      return 'somebody decides it';
    case 'stopping':
      return 'it ends, or its deadline comes';
    default:
      return typeof hold?.until === 'string' ? `the time comes (${hold.until})` : 'it is lifted';
  }
}

function ended(draft: Draft, task: TaskRow): Told {
  const { reason, status, attemptCount } = task;
  switch (status) {
    case 'completed': {
      const by = task.workerId === null ? '' : ` by ${nameOf(draft, task.workerId)}`;
      const note = task.outdated ? ' An upstream was redone since.' : '';
      return { sentence: `It is completed${by}.${note}`, next: null };
    }
    case 'failed': {
      const tries = attemptCount > 1 ? ` after ${attemptCount} attempts` : '';
      const what = task.failureClass === null ? '' : ` (${task.failureClass})`;
      return { sentence: `It failed${tries}${what}${because(reason)}.`, next: 'retry it' };
    }
    case 'cancelled':
      return { sentence: `It was cancelled${because(reason)}.`, next: 'retry it' };
    case 'skipped':
      return { sentence: `It was skipped${because(sayReason(reason))}.`, next: null };
    default:
      return { sentence: 'A newer version of the plan replaced it.', next: null };
  }
}

function sayReason(reason: string | null): string | null {
  const found = /^(dependency_failed|gate_failed|condition_not_met):(.+)$/.exec(reason ?? '');
  if (found === null) return reason;
  const [, kind, key = ''] = found;
  if (kind === 'dependency_failed') return `${key} did not succeed`;
  return kind === 'gate_failed'
    ? `the gate ${key} did not open`
    : `${key} ended well, and it was for the other case`;
}

function nameOf(draft: Draft, worker: string | null): string {
  if (worker === null) return 'a worker';
  draft.load([{ kind: 'row', table: 'workers', id: worker }]);
  return draft.find('workers', worker)?.name ?? 'a worker that is gone';
}

function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${reason}`;
}

function listOf(words: readonly string[]): string {
  if (words.length === 0) return 'nothing';
  if (words.length <= 5) return words.join(', ');
  return `${words.slice(0, 5).join(', ')} and ${words.length - 5} more`;
}
