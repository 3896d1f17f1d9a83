import type { Assignment } from '@baton/contract';
import { createClient } from '@baton/sdk';
import { listAttemptDirs } from '../spool/attempt-dir.ts';
import { bounded } from '../bounded.ts';
import { openAttemptFiles } from './files.ts';
import { startRunner } from './runner.ts';
import type { Runner, RunnerPorts } from './runner-ports.ts';

/** All attempts that this worker has in hand. */
export interface AttemptSet {
  readonly size: number;
  find(attempt: string): Runner | undefined;
  list(): readonly Runner[];
  /** Begins an attempt; one that it has, or has told the end of, is not begun again. */
  take(it: Assignment): void;
  /** Takes up what a daemon before this one did not report to its end. */
  recover(): void;
  /** A new connection: what may have been missed is asked for. */
  reconnected(): void;
  /** Somebody changed what the task of an attempt asks for. */
  updated(attempt: string, fields: readonly string[]): void;
}

/** An agent that was told to end its turn is gone by then, and its report made. */
const predecessorMs = 20_000;

/** Holds nothing at first; see `recover`. */
export function createAttemptSet(ports: RunnerPorts): AttemptSet {
  const { config, link, log } = ports;
  const runners = new Map<string, Runner>();

  function begin(it: Assignment): void {
    const { id } = it.attempt;
    const before = (): Promise<void> => predecessorOver(it);
    const runner = startRunner(ports, it, openAttemptFiles(config.dataDir, id), before);
    runners.set(id, runner);
    void runner.done.then(() => runners.delete(id));
  }

  /** Resolves when the attempt that this one goes on from has nothing at work any more. */
  async function predecessorOver(it: Assignment): Promise<void> {
    if (it.continue === null) return;
    // After a restart all runners are there before one of them looks for another.
    await new Promise((resolve) => setImmediate(resolve));
    const before = runners.get(it.continue.attempt);
    if (before === undefined) return;
    before.supersede();
    await bounded(before.done, predecessorMs);
    if (runners.get(it.continue.attempt) === before) before.abandon('resumed');
    await bounded(before.done, predecessorMs);
  }

  /** What the task is now, beside what it was when the agent was started. */
  async function fetchTask(runner: Runner, fields?: readonly string[]): Promise<void> {
    const { attempt, token, task } = runner.assignment;
    const client = createClient({ baseUrl: config.url, token });
    const fresh = await client.call('getAssignment', { params: { id: attempt.id } });
    const isSame = JSON.stringify(fresh.task) === JSON.stringify(task);
    if (!isSame) runner.updated(fresh, fields ?? changedFields(task, fresh.task));
  }

  /** Notes that were written while the link was down; they stand in the assignment as it is now. */
  async function fetchNotes(runner: Runner): Promise<void> {
    const { attempt, token } = runner.assignment;
    const client = createClient({ baseUrl: config.url, token });
    const fresh = await client.call('getAssignment', { params: { id: attempt.id } });
    const known = runner.assignment.notes.map((it) => `${it.author}\n${it.text}`);
    for (const note of fresh.notes) {
      const at = known.indexOf(`${note.author}\n${note.text}`);
      if (at >= 0) known.splice(at, 1);
      // Its own agent's remarks come back under the worker's name.
      else if (note.author !== config.name) runner.noted(note);
    }
  }

  return {
    get size() {
      return runners.size;
    },
    find: (attempt) => runners.get(attempt),
    list: () => [...runners.values()],
    take(it) {
      const { id, epoch } = it.attempt;
      if (runners.has(id)) return;
      try {
        const files = openAttemptFiles(config.dataDir, id);
        if (files.isDone()) return;
        files.saveAssignment(it);
        begin(it);
      } catch (error) {
        log.error({ error, attempt: id }, 'an assignment could not be taken');
        const reason = 'the worker could not keep the assignment on its disk';
        link
          .request({ type: 'release', attempt: id, body: { epoch, reason } })
          .catch(() => undefined);
      }
    },
    recover() {
      for (const { attemptId, dir } of listAttemptDirs(config.dataDir)) {
        const files = openAttemptFiles(config.dataDir, attemptId);
        if (files.isDone()) continue;
        const assignment = files.assignment();
        if (assignment === undefined)
          log.warn({ dir }, 'an attempt without an assignment is left alone');
        else begin(assignment);
      }
    },
    updated(attempt, fields) {
      const runner = runners.get(attempt);
      if (runner === undefined || runner.ended) return;
      fetchTask(runner, fields).catch((error: unknown) =>
        log.warn({ error, attempt }, 'a change of a task could not be read'),
      );
    },
    reconnected() {
      for (const runner of runners.values()) {
        runner.reconnected();
        // A held one hears it when it is gone on with.
        if (runner.ended || runner.isHeld) continue;
        Promise.all([fetchNotes(runner), fetchTask(runner)]).catch((error: unknown) =>
          log.debug(
            { error, attempt: runner.assignment.attempt.id },
            'notes and changes could not be read again',
          ),
        );
      }
    },
  };
}

function changedFields(before: Assignment['task'], after: Assignment['task']): string[] {
  const fields = after.title === before.title ? [] : ['title'];
  for (const [field, value] of Object.entries(after.spec)) {
    const old = before.spec[field as keyof typeof before.spec];
    if (JSON.stringify(value) !== JSON.stringify(old)) fields.push(field);
  }
  return fields;
}
