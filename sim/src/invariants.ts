import { MUTANTS } from './mutants.ts';

/** What must always hold, the checks that look for it, and tests elsewhere that hold it from outside. */
export interface Invariant {
  readonly no: number;
  readonly text: string;
  /** Names under which checks of the simulator report. */
  readonly checks: readonly string[];
  /** Tests in other places, by path. */
  readonly tests: readonly string[];
}

const DATABASE_KILL = 'e2e/crash/database-kill.test.ts';
const SERVER_KILL = 'e2e/crash/server-kill.test.ts';
const WORKER_KILL = 'e2e/crash/worker-kill.test.ts';
const PROPERTIES = 'packages/kernel/src/kernel-properties.test.ts';

/** The list that docs/testing.md shows, and that a test holds against checks, files and that page. */
export const INVARIANTS: readonly Invariant[] = [
  {
    no: 1,
    text: 'A task has at most one live attempt at every commit.',
    checks: ['one-live-attempt', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 2,
    text: 'Epochs of a task grow with each claim; none is given twice.',
    checks: ['epochs-grow', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 3,
    text: 'An accepted write of an attempt came from its holder, under its epoch, while it was open.',
    checks: ['fencing'],
    tests: ['packages/kernel/src/commands/attempts.test.ts'],
  },
  {
    no: 4,
    text: 'A write under an old epoch changes nothing and is refused as such.',
    checks: ['fencing', 'one-end'],
    tests: ['e2e/flows/m4-fence.test.ts'],
  },
  {
    no: 5,
    text: 'An attempt ends once, in one way.',
    checks: ['one-end'],
    tests: ['packages/kernel/src/attempt/attempt-machine.test.ts'],
  },
  {
    no: 6,
    text: 'The epoch of a task is that of its newest attempt; it is running exactly while one works.',
    checks: ['epoch-of-task', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 7,
    text: 'An acknowledged result is never undone by a lease, a retry or a repeated message.',
    checks: ['acknowledged-is-durable', 'one-end'],
    tests: [WORKER_KILL],
  },
  {
    no: 8,
    text: 'The end of an older link of a worker does not end a newer one.',
    checks: ['all-ends'],
    tests: ['packages/kernel/src/commands/workers.test.ts'],
  },
  {
    no: 9,
    text: 'No attempt is lost before its lease is over by the clock of the database.',
    checks: ['lease-first'],
    tests: ['packages/kernel/src/commands/workers.test.ts'],
  },
  {
    no: 10,
    text: 'No lease ends within the grace that a start or a stall gives.',
    checks: ['grace'],
    tests: [SERVER_KILL],
  },
  {
    no: 11,
    text: 'What the counters of tasks and runs say is what a scan of the graph finds.',
    checks: ['audit'],
    tests: [PROPERTIES],
  },
  {
    no: 12,
    text: 'A task is in the queue exactly while it is ready.',
    checks: ['ready-row', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 13,
    text: 'No task starts before its upstreams have satisfied their edges, in the order of the feed.',
    checks: ['parents-first'],
    tests: [PROPERTIES],
  },
  {
    no: 14,
    text: 'A task whose edges are satisfied is ready in the same commit.',
    checks: ['audit', 'all-ends'],
    tests: ['packages/kernel/src/graph/cascade.test.ts'],
  },
  {
    no: 15,
    text: 'An upstream that ends counts once for each task behind it.',
    checks: ['resolved-once', 'audit'],
    tests: ['packages/kernel/src/graph/cascade.test.ts'],
  },
  {
    no: 16,
    text: 'The graph of a run has no cycle and no loose end.',
    checks: ['audit'],
    tests: ['packages/kernel/src/graph/find-cycle.test.ts'],
  },
  {
    no: 17,
    text: 'A run has ended exactly when it has no open task.',
    checks: ['run-ends', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 18,
    text: 'No task stays blocked under a run that has ended.',
    checks: ['audit', 'all-ends'],
    tests: [PROPERTIES],
  },
  {
    no: 19,
    text: 'Nothing of a run is handed out before its submission is whole.',
    checks: ['whole-submission'],
    tests: ['e2e/crash/large-submission.test.ts'],
  },
  {
    no: 20,
    text: 'Once a run is cancelled no task of it starts.',
    checks: ['cancelled-stays'],
    tests: ['packages/kernel/src/commands/cancel.test.ts'],
  },
  {
    no: 21,
    text: 'An attempt gets no outputs of an older generation of an upstream that stands completed.',
    checks: ['inputs-of-now', 'generations-grow'],
    tests: ['packages/kernel/src/commands/task-retry.test.ts'],
  },
  {
    no: 22,
    text: 'The outputs of a completed task fit the schemas they were asked for with.',
    checks: ['outputs-fit'],
    tests: ['e2e/flows/o3-contracts.test.ts'],
  },
  {
    no: 24,
    text: 'A verdict counts for the result that it judged, and no task that needs one is complete without.',
    checks: ['verdict-first'],
    tests: ['packages/kernel/src/verification/verify.test.ts'],
  },
  {
    no: 25,
    text: 'A task is tried no more often than allowed.',
    checks: ['tries-bounded', 'audit'],
    tests: ['packages/kernel/src/retry/retry-policy.test.ts'],
  },
  {
    no: 26,
    text: 'A retry starts no earlier than its backoff.',
    checks: ['backoff'],
    tests: ['packages/kernel/src/retry/retry-policy.test.ts'],
  },
  {
    no: 27,
    text: 'No task starts beyond what a limit of its keys allows; places under limits are held by who says so.',
    checks: ['within-limit', 'audit'],
    tests: ['packages/coordinator/src/limits.test.ts', PROPERTIES],
  },
  {
    no: 28,
    text: 'No span of time holds more starts under a key than its rate and burst allow.',
    checks: ['within-rate'],
    tests: ['packages/kernel/src/limits/rate.test.ts'],
  },
  {
    no: 30,
    text: 'A question has one decision; who comes second is shown it.',
    checks: ['one-decision'],
    tests: ['packages/kernel/src/commands/checkpoints.test.ts'],
  },
  {
    no: 31,
    text: 'A default is taken only after the deadline, and only of an open question.',
    checks: ['deadline-first'],
    tests: ['packages/kernel/src/commands/checkpoints.test.ts'],
  },
  {
    no: 32,
    text: 'Runs with work of one class in one queue take turns, within a constant.',
    checks: ['fair-turns'],
    tests: ['packages/kernel/src/matching/queue-order.test.ts'],
  },
  {
    no: 33,
    text: 'No task starts while one of a higher class that may start as well is left in the same queue.',
    checks: ['priority-first'],
    tests: ['packages/kernel/src/matching/queue-order.test.ts'],
  },
  {
    no: 34,
    text: 'Positions are dense in the feed, numbers are dense in a run.',
    checks: ['dense-run-seq', 'feed-in-order'],
    tests: ['packages/store/src/feed.test.ts'],
  },
  {
    no: 35,
    text: 'A reader gets every event once and in order, whatever it reconnects to.',
    checks: ['reader-in-order', 'feed-in-order', 'told-once', 'told-as-stored'],
    tests: ['apps/server/src/streams/streams.test.ts'],
  },
  {
    no: 36,
    text: 'The feed tells the same ends of tasks and runs as their rows have.',
    checks: ['events-tell-state', 'final-states'],
    tests: [PROPERTIES],
  },
  {
    no: 37,
    text: 'Who reads the state and follows the feed from its cursor knows the state at any later time.',
    checks: ['snapshot-and-tail'],
    tests: ['apps/server/src/streams/streams.test.ts'],
  },
  {
    no: 38,
    text: 'A cursor of another history is refused, never taken for a place in this one.',
    checks: ['foreign-cursor'],
    tests: ['apps/server/src/streams/streams.test.ts'],
  },
  {
    no: 39,
    text: 'Time in the feed never goes back.',
    checks: ['time-grows'],
    tests: ['packages/store/src/feed.test.ts'],
  },
  {
    no: 40,
    text: 'The cursor that a reader keeps is that of an event it was given; it skips nothing.',
    checks: ['reader-in-order'],
    tests: ['packages/store/src/feed.test.ts', 'packages/coordinator/src/retention.test.ts'],
  },
  {
    no: 41,
    text: 'Nothing is acknowledged before it is durable.',
    checks: ['acknowledged-is-durable'],
    tests: [SERVER_KILL, DATABASE_KILL],
  },
  {
    no: 42,
    text: 'A request with a key takes effect once; another body under it is refused.',
    checks: ['one-effect'],
    tests: ['packages/coordinator/src/coordinator.test.ts'],
  },
  {
    no: 43,
    text: 'After a COMMIT that was not answered the caller learns what became of it, or that it is unknown.',
    checks: ['truth-told', 'one-effect', 'acknowledged-is-durable'],
    tests: [DATABASE_KILL],
  },
  {
    no: 44,
    text: 'A command that cannot be executed does not harm its batch.',
    checks: ['no-bug'],
    tests: ['packages/coordinator/src/coordinator.test.ts'],
  },
  {
    no: 47,
    text: 'Timers, places in the queue and attempts do not outlive their purpose.',
    checks: ['queue-drains', 'audit'],
    tests: [PROPERTIES],
  },
  {
    no: 48,
    text: 'Once faults have ended, every run ends.',
    checks: ['all-ends'],
    tests: [PROPERTIES],
  },
  {
    no: 50,
    text: 'A row is written only over what was read, and SQL and memory are the same at every commit.',
    checks: ['no-lost-update', 'same-as-sql'],
    tests: ['packages/store/src/world/lock.test.ts'],
  },
  {
    no: 51,
    text: 'What was decided from memory is written only where all that it took for granted still holds.',
    checks: ['premises-hold'],
    tests: ['sim/src/store/write-line.test.ts'],
  },
  {
    no: 52,
    text: 'Nothing that was given to be written before a fence is written after it.',
    checks: ['fenced-off'],
    tests: ['sim/src/store/write-line.test.ts'],
  },
];

/** The table of docs/testing.md, made from the list and from the defects. */
export function invariantTable(): string {
  const rows = INVARIANTS.map(({ no, text, checks, tests }) => {
    const mutants = MUTANTS.filter((it) => checks.includes(it.caughtBy)).map((it) => it.name);
    const links = tests.map((path) => `[${path.split('/').at(-1) ?? path}](../${path})`);
    const names = checks.map((check) => `\`${check}\``);
    return `| ${no} | ${text} | ${names.join(', ')} | ${links.join(', ')} | ${mutants.join(', ')} |`;
  });
  return [
    '| | holds | check | also tested by | defects it finds |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** The defects and what finds each, as docs/testing.md lists them. */
export function mutantTable(): string {
  const rows = MUTANTS.map(({ name, what, caughtBy }) => `| ${name} | ${what} | \`${caughtBy}\` |`);
  return ['| defect | what is wrong | found by |', '|---|---|---|', ...rows].join('\n');
}
