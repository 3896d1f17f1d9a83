import type { DependencyRule } from '@baton/contract';
import type { AttemptRow, TaskRow } from '@baton/kernel';
import type { MemoryWorld } from '@baton/kernel/testing';
import type { FaultList } from '../faults-found.ts';
import type { Commit } from '../store/sim-database.ts';
import { tinyViolations } from '../tiny-validator.ts';
import type { Ends } from './ends.ts';

/** A task starts after its upstreams and with their outputs, and what it leaves fits its contracts. */
export class InputChecks {
  readonly #faults: FaultList;
  readonly #ends: Ends;

  /** `ends` is what the feed has told by the event that is looked at. */
  constructor(faults: FaultList, ends: Ends) {
    this.#faults = faults;
    this.#ends = ends;
  }

  /** An attempt was claimed: everything that its task waits for has ended as the edges want it. */
  started(commit: Commit, taskId: string, attemptId: string, world: MemoryWorld): void {
    const attempt = rowOf<AttemptRow>(commit, 'attempts', attemptId);
    const edges = world
      .list('edgesIn', taskId)
      .filter((edge) => edge.type !== 'related')
      .filter(
        (edge) =>
          !commit.writes.some(
            (it) => it.table === 'dependencies' && it.id === edge.id && it.row === null,
          ),
      );
    for (const edge of edges) {
      const told = this.#ends.of(`task ${edge.upstreamId}`);
      if (!satisfies(edge.rule, told)) {
        this.#say(
          'parents-first',
          `task ${taskId} started; its upstream ${edge.upstreamId} is ${told ?? 'open'} (${edge.rule})`,
        );
      }
    }
    if (attempt !== undefined) this.#inputsHold(commit, attempt, world);
  }

  /** Inputs are the outputs of the standing results of this generation of the upstreams. */
  #inputsHold(commit: Commit, attempt: AttemptRow, world: MemoryWorld): void {
    const inputs = attempt.manifest['inputs'] as Record<string, { task: string; attempt: string }>;
    for (const [name, input] of Object.entries(inputs ?? {})) {
      const upstream =
        rowOf<TaskRow>(commit, 'tasks', input.task) ?? world.row('tasks', input.task);
      const source =
        rowOf<AttemptRow>(commit, 'attempts', input.attempt) ??
        world.row('attempts', input.attempt);
      if (upstream === null || source === null) continue;
      const isStanding = upstream.resultAttemptId === input.attempt;
      if (
        upstream.status === 'completed' &&
        (!isStanding || source.generation !== upstream.generation)
      ) {
        this.#say(
          'inputs-of-now',
          `attempt ${attempt.id} got ${name} of generation ${source.generation}, upstream has ${upstream.generation}`,
        );
      }
    }
  }

  /** Data of a completed task fits the schema that it was asked for with. */
  completed(id: string, world: MemoryWorld): void {
    const spec = world.row('taskSpecs', id)?.spec;
    for (const output of world.list('outputsOfTask', id)) {
      const declared = spec?.outputs.find((it) => it.key === output.key);
      if (declared === undefined) this.#say('outputs-fit', `task ${id} has output ${output.key}`);
      else if (tinyViolations(declared.schema ?? {}, output.data).length > 0)
        this.#say('outputs-fit', `task ${id} has a bad output ${output.key}`);
    }
  }

  #say(check: string, text: string): void {
    this.#faults.report(check, text);
  }
}

function satisfies(rule: DependencyRule, told: string | undefined): boolean {
  if (rule === 'done') return true;
  return rule === 'failure' ? told === 'failed' : told === 'completed';
}

function rowOf<T>(commit: Commit, table: string, id: string): T | undefined {
  const write = commit.writes.find((it) => it.table === table && it.id === id);
  return (write?.row ?? undefined) as T | undefined;
}
