import type { Candidate, Explanation } from '@baton/contract';
import type { TaskRead } from '@baton/store';
import { isoOf } from '../views/instant.ts';

interface Facts {
  readonly read: TaskRead;
  readonly waitsFor: Explanation['waits_for'];
  readonly candidates: readonly Candidate[];
  readonly question: string | undefined;
}

type Told = Pick<Explanation, 'sentence' | 'next'>;

/** One sentence on why a task is where it is, and one on what would change that. */
export function explainStatus(facts: Facts): Told {
  const { task, workerName } = facts.read;
  const worker = workerName ?? 'a worker';
  switch (task.status) {
    case 'blocked':
      return blocked(facts);
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
      if (task.reason === 'await') {
        return {
          sentence: 'Its agent ended its turn and awaits tasks that it handed on.',
          next: 'they end, or their deadline comes; baton task wake resumes it at once',
        };
      }
      return {
        sentence: `It waits for a person: ${facts.question ?? task.reason ?? 'a question is open'}`,
        next: 'answer it',
      };
    case 'verifying':
      return verifying(task);
    case 'paused':
      return { sentence: `It is paused${because(task.reason)}.`, next: 'resume it' };
    case 'completed':
      return { sentence: 'It is completed.', next: null };
    case 'failed':
      return { sentence: `It failed${because(task.reason)}.`, next: 'retry it' };
    case 'cancelled':
      return { sentence: `It was cancelled${because(task.reason)}.`, next: 'retry it' };
    case 'skipped':
      return { sentence: `It was skipped${because(task.reason)}.`, next: null };
    case 'superseded':
      return { sentence: 'A newer version of the plan replaced it.', next: null };
  }
}

function verifying({ verification }: TaskRead['task']): Told {
  const by = verification?.check === 'judge' ? 'a judge' : 'commands';
  const commit = verification?.commit ?? null;
  const what = commit === null ? 'Its result' : `Its result, commit ${commit.slice(0, 12)},`;
  return {
    sentence: `${what} is being checked by ${by}; nothing that it hands on counts before.`,
    next: 'the verdict',
  };
}

function blocked({ read, waitsFor }: Facts): Told {
  const { task } = read;
  const failed = /^(dependency|gate)_failed:(.+)$/.exec(task.reason ?? '');
  if (task.outOfPlay && failed !== null) {
    const [, kind, key = ''] = failed;
    const what = kind === 'gate' ? `the gate ${key} did not open` : `${key} did not succeed`;
    return { sentence: `It cannot start, because ${what}.`, next: `retry ${key}` };
  }
  const unjudged = waitsFor.filter((it) => it.type === 'gate' && it.status === 'completed');
  if (unjudged.length > 0) {
    const names = list(unjudged.map(({ key }) => key));
    return {
      sentence: `It waits for a review of ${names}, which is done.`,
      next: `approve ${names}: baton task review ${names} --approve`,
    };
  }
  const keys = waitsFor.filter(({ type }) => type !== 'related').map(({ key }) => key);
  return {
    sentence: `It waits for ${list(keys)}.`,
    next: keys.length === 1 ? `${keys[0]} is completed` : 'all of them are completed',
  };
}

function ready({ read, candidates }: Facts): Told {
  const { task } = read;
  if (task.retryAtMs !== null && task.reason === 'backoff') {
    const at = isoOf(task.retryAtMs);
    return { sentence: `It is tried again at ${at}.`, next: `the time comes (${at})` };
  }
  if (task.reason === 'waiting_for_assignment') {
    return { sentence: 'It is held until somebody assigns it.', next: 'assign it to a worker' };
  }
  if (candidates.length === 0) {
    return {
      sentence: 'It is ready, and no worker has joined yet.',
      next: 'start a worker: baton worker',
    };
  }
  if (candidates.some(({ eligible }) => eligible)) {
    return { sentence: 'It is ready and is being handed out.', next: 'a worker takes it' };
  }
  const full = candidates.filter(({ disqualified }) =>
    disqualified.every((why) => why.startsWith('has no free slot')),
  );
  if (full.length > 0) {
    const names = list(full.map(({ name }) => name));
    return { sentence: `It waits for a free slot of ${names}.`, next: 'a task there ends' };
  }
  const [first] = candidates.toSorted((a, b) => a.disqualified.length - b.disqualified.length);
  const why =
    first === undefined ? '' : ` The nearest is ${first.name}: ${list(first.disqualified)}.`;
  return {
    sentence: `No worker that is here fits.${why}`,
    next: 'a worker that fits comes online',
  };
}

function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${reason}`;
}

function list(words: readonly string[]): string {
  if (words.length === 0) return 'nothing';
  if (words.length <= 5) return words.join(', ');
  return `${words.slice(0, 5).join(', ')} and ${words.length - 5} more`;
}
