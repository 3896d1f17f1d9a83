import {
  AppError,
  DEFAULTS,
  toAppError,
  type Assignment,
  type Command,
  type Explanation,
} from '@baton/contract';
import {
  buildAssignment,
  type NewEvent,
  type ReadyRow,
  type Reply,
  SEQ_PER_MS,
  type Context,
  type RunSize,
} from '@baton/kernel';
import type { Db } from '@baton/store';
import { createBatcher, type Batcher, type SubmitOptions } from './batch/batcher.ts';
import { timersSet, type BatchResult } from './batch/batch-result.ts';
import { createReplicaMemory } from './memory/replica-memory.ts';
import { createClock, type Clock } from './clock.ts';
import { createCatalogue, type Catalogue } from './dispatch/catalogue.ts';
import { createDispatcher } from './dispatch/dispatcher.ts';
import { createHistory } from './history.ts';
import { explainTask } from './explain/explain-task.ts';
import { sha256 } from './ids.ts';
import { createListeners } from './listeners.ts';
import type { Log } from './log.ts';
import { createLogWriter, type LogWriter } from './logs/log-writer.ts';
import { createOthers } from './replicas/others.ts';
import { createDispatchPoll } from './services/dispatch-poll.ts';
import { createAwaitCheck } from './services/await-check.ts';
import { createLeaseSweep } from './services/lease-sweep.ts';
import { createMaintenance } from './services/maintenance.ts';
import type { ServicePorts } from './services/ports.ts';
import { createStallGuard } from './services/stall-guard.ts';
import { createTimerFire } from './services/timer-fire.ts';
import { createUpkeep } from './services/upkeep.ts';
import { createWorkerSweep } from './services/worker-sweep.ts';
import type { Service } from './service.ts';
import { processRuntime, type Runtime } from './runtime.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';
import { createSqlStore } from './store/sql-store.ts';
import { createTurns } from './validation/turns.ts';
import { prevalidations } from './validation/prevalidate.ts';
import { createSchemaValidator, type SchemaValidator } from './validation/schema-validator.ts';
import { createVerdicts } from './validation/verdicts.ts';

/** An event with its place in the feed. `cursor` is `<incarnation>.<pos>`. */
export interface CommittedEvent extends NewEvent {
  readonly pos: number;
  readonly cursor: string;
  /** This replica committed it; false: another one did, or it is not known any more who. */
  readonly isOwn: boolean;
}

/** Attempts that a dispatch handed to a worker. */
export interface Assigned {
  readonly worker: string;
  readonly attempts: readonly string[];
}

/** What a coordinator works with; it closes none of it. */
export interface CoordinatorSettings extends CoordinatorOptions {
  readonly db: Db;
}

/** How a coordinator is set up, whatever it runs on. */
export interface CoordinatorOptions {
  readonly log: Log;
  /** Engine names that are always known. */
  readonly engines: readonly string[];
  /** Fingerprint of the installation: replicas that differ in it say so in their logs. */
  readonly instance?: string;
  readonly silentMs?: number;
  readonly offlineMs?: number;
  /** How large people may make a run; absent: as `LIMITS` says. */
  readonly runSize?: RunSize;
}

/** What a coordinator runs on. It closes the validator and nothing else. */
export interface CoordinatorPorts {
  readonly store: CoordinatorStore;
  readonly runtime: Runtime;
  readonly validator: SchemaValidator;
}

/** What happens: takes commands, decides and writes them in batches, runs timers and sweeps. */
export interface Coordinator {
  start(): Promise<void>;
  /** Finishes what waits, then stops everything. Idempotent. */
  stop(): Promise<void>;
  /** Resolves once the command's effect is durable. @throws {AppError} when it is refused */
  submit(command: Command, options?: SubmitOptions): Promise<Reply>;
  /**
   * Told of every committed event of all replicas since the start, once, in the order of the feed: own
   * ones in their commit, those of others when they are heard of. Answers the function that ends it.
   */
  onCommitted(listener: (events: readonly CommittedEvent[]) => void): () => void;
  /** Told of work handed to parked workers. */
  onAssigned(listener: (assigned: Assigned) => void): () => void;
  /** The worker waits for up to `max` more tasks, until it is unparked; `polling`: over plain HTTP. */
  parkWorker(worker: string, project: string, max: number, polling?: boolean): void;
  unparkWorker(worker: string): void;
  /** Why a task is where it is; ids are internal ones. Undefined: the project has no such task. */
  explain(project: string, task: string): Promise<Explanation | undefined>;
  /** What an attempt is given; without its token. Undefined when there is no such attempt. */
  assignmentOf(attempt: string): Promise<Omit<Assignment, 'token'> | undefined>;
  readonly logs: LogWriter;
  /** Tells the other replicas that a credential was taken back here; the hint may be lost. */
  tellRevoked(principal: string): void;
  /** Told of credentials that were taken back at another replica; undefined: some may have been missed. */
  onRevoked(listener: (principal: string | undefined) => void): () => void;
  /** The database's time. */
  nowMs(): number;
  /** Number of this database's history; cursors carry it. */
  incarnation(): number;
  /** A reader shows a cursor of this incarnation that the database has never given. */
  suspectLoss(incarnation: number): Promise<void>;
}

/** What a worker is told of an attempt that this database does not know as the worker does. */
const UNKNOWN_ATTEMPT: ReadonlySet<string> = new Set(['stale_epoch', 'not_found']);

/** Longest wait for an opening in one go: no timer reaches further than 24 days. */
const openingMsMax = 3_600_000;

/** Does nothing before `start`. The database must be migrated. */
export function createCoordinator(settings: CoordinatorSettings): Coordinator {
  const ports = {
    store: createSqlStore(settings.db),
    runtime: processRuntime,
    validator: createSchemaValidator(),
  };
  return assembleCoordinator(ports, settings);
}

/** A coordinator on ports of the caller's choice. Does nothing before `start`. */
export function assembleCoordinator(
  { store, runtime, validator }: CoordinatorPorts,
  settings: CoordinatorOptions,
): Coordinator {
  const { log } = settings;
  const silentMs = settings.silentMs ?? DEFAULTS.silentSeconds * 1_000;
  const offlineMs = settings.offlineMs ?? DEFAULTS.offlineSeconds * 1_000;
  const clock: Clock = createClock(runtime.monotonicMs, runtime.wallMs);
  const verdicts = createVerdicts(validator);
  const catalogue = createCatalogue(store, settings.engines);
  const memory = createReplicaMemory(log);
  const dispatcher = createDispatcher();
  const committed = createListeners<readonly CommittedEvent[]>(log);
  const assigned = createListeners<Assigned>(log);
  const revoked = createListeners<string | undefined>(log);
  const history = createHistory(store, log, runtime.monotonicMs);
  const logs = createLogWriter(store, log, (attempt) => others.wrote(attempt));
  let batcher: Batcher | undefined;

  /** What the next batch is to go by, although this one is not written yet: hints, never truth. */
  function foresee({ writes, dispatches }: Pick<BatchResult, 'writes' | 'dispatches'>): void {
    catalogue.learn(writes);
    for (const { target, reply } of dispatches) {
      if (reply.turns !== undefined) catalogue.learnTurns(target.project, reply.turns);
    }
  }

  function learn(result: BatchResult): void {
    foresee(result);
    if (hasUnknownNeeds(result, catalogue)) takeUpNeeds();
    if (dispatcher.learn(result)) batcher?.kick();
    expectOpening();
    const due = timersSet(result.writes);
    if (due.length > 0) timerFire.expect(due);
    const assign = (): void => {
      for (const it of handedOut(result)) assigned.tell(it);
    };
    if (result.events.length === 0) assign();
    else others.committed(numbered(result, history.incarnation()), assign);
  }

  /** Needs that an earlier start or another replica put on record, and that work has again now. */
  function takeUpNeeds(): void {
    catalogue
      .refresh()
      .then(() => {
        memory.doubt();
        if (dispatcher.searchAll()) batcher?.kick();
      })
      .catch((error: unknown) => log.warn({ error }, 'the needs of ready work could not be read'));
  }

  let callOff: (() => void) | undefined;
  /** Looks for work again when a limit's rate or a provider lets the next start. */
  function expectOpening(): void {
    callOff?.();
    const atMs = dispatcher.opensAtMs();
    if (atMs === null) return;
    const delayMs = Math.min(Math.max(1, atMs - clock.nowMs()), openingMsMax);
    callOff = runtime.after(delayMs, () => {
      if (dispatcher.open(clock.nowMs())) batcher?.kick();
      expectOpening();
    });
  }

  /** Facts of the moment for what is only asked; new ids of it are never kept. */
  const context = (): Context => {
    const nowMs = clock.nowMs();
    return {
      nowMs,
      incarnation: history.incarnation(),
      newId: runtime.newId,
      random: runtime.random,
      sha256,
      nextSeq: () => nowMs * SEQ_PER_MS,
      violations: verdicts.violations,
      schemaFault: verdicts.schemaFault,
      engines: catalogue.engines,
      limitedKeys: catalogue.limitedKeys,
      turnsOf: catalogue.turnsOf,
      silentMs,
      offlineMs,
      heartbeatMs: DEFAULTS.heartbeatSeconds * 1_000,
      ...(settings.runSize === undefined ? {} : { runSize: settings.runSize }),
    };
  };

  const inOrder = createTurns();
  const submit: Coordinator['submit'] = async (command, options) => {
    await inOrder(options?.connection, async () => {
      await verdicts.prepare(await prevalidations(store, command));
    });
    if (batcher === undefined) throw new Error('the coordinator is not started');
    if (command.type === 'worker.hello') await history.shownEpochs(command);
    const reply = await batcher.submit(command, options).catch(async (error: unknown) => {
      const isUnknown = error instanceof AppError && UNKNOWN_ATTEMPT.has(error.code);
      if (isUnknown) await history.shownEpochs(command);
      throw error;
    });
    if (reply.declined !== undefined) throw toAppError(reply.declined);
    return reply;
  };

  const ports: ServicePorts = { store, runtime, clock, log, submit };
  const timerFire = createTimerFire(ports);
  const services: readonly Service[] = [
    createStallGuard(ports),
    createLeaseSweep(ports),
    createAwaitCheck(ports),
    timerFire,
    createWorkerSweep(ports, { silentMs, offlineMs }),
    createMaintenance(ports),
    createUpkeep(ports),
    createDispatchPoll(ports, {
      refresh: () => catalogue.refresh(),
      searchAll() {
        // What nothing told of is found at the latest now, whatever is remembered.
        memory.doubt();
        return dispatcher.searchAll();
      },
      kick: () => batcher?.kick(),
    }),
  ];
  const others = createOthers({
    ports,
    store,
    work: {
      refresh: () => catalogue.refresh(),
      search(projects) {
        memory.doubt();
        return dispatcher.searchIn(projects);
      },
      kick: () => batcher?.kick(),
    },
    instance: settings.instance,
    incarnation: () => history.incarnation(),
    learnIncarnation: (incarnation) => history.learn(incarnation),
    tell: committed.tell,
    wroteElsewhere: (attempt) => logs.wroteElsewhere(attempt),
    revokedElsewhere: revoked.tell,
  });
  const stopping = new AbortController();

  return {
    async start() {
      const head = await store.feedHead();
      history.learn(head.incarnation);
      clock.observe(head.nowMs);
      others.begin(head.pos);
      await catalogue.refresh();
      const timing = {
        silentMs,
        offlineMs,
        heartbeatMs: DEFAULTS.heartbeatSeconds * 1_000,
        ...(settings.runSize === undefined ? {} : { runSize: settings.runSize }),
      };
      batcher = createBatcher({
        ports: {
          store,
          runtime,
          verdicts,
          catalogue,
          memory,
          clock,
          timing,
          get incarnation() {
            return history.incarnation();
          },
        },
        log,
        targets: dispatcher.targets,
        decided: foresee,
        committed: learn,
      });
      // Last, because nothing of these can fail: a start that fails leaves no line open.
      for (const service of [...services, ...others.services]) await service.start(stopping.signal);
    },
    async stop() {
      stopping.abort();
      callOff?.();
      for (const service of services) await service.stop();
      await batcher?.drain();
      for (const service of others.services) await service.stop();
      await others.stop();
      await validator.close();
    },
    submit,
    onCommitted: committed.add,
    onAssigned: assigned.add,
    parkWorker(worker, project, max, polling = false) {
      dispatcher.park(worker, project, max, polling);
      batcher?.kick();
    },
    unparkWorker: dispatcher.unpark,
    async explain(project, task) {
      // What waits may have needs that only other replicas have met so far.
      if (others.mayBe) await catalogue.refresh();
      const explained = await explainTask({ store, catalogue, verdicts, context }, project, task);
      return explained ?? undefined;
    },
    async assignmentOf(attempt) {
      const rows = await store.loadAssignmentRows(attempt);
      return rows === undefined ? undefined : buildAssignment(rows);
    },
    logs,
    tellRevoked: others.revoked,
    onRevoked: revoked.add,
    nowMs: clock.nowMs,
    incarnation: () => history.incarnation(),
    suspectLoss: (cursor) => history.shownCursor(cursor),
  };
}

function hasUnknownNeeds({ writes }: BatchResult, catalogue: Catalogue): boolean {
  return writes.some(({ table, row }) => {
    if (table !== 'ready' || row === null) return false;
    const { projectId, needsId } = row as ReadyRow;
    return !catalogue.knowsNeeds(projectId, needsId);
  });
}

function numbered(result: BatchResult, incarnation: number): CommittedEvent[] {
  return result.events.map((event, index) => {
    const pos = result.firstPos + index;
    // Written out: eight of these a lifecycle, and a spread costs several times as much.
    return {
      projectId: event.projectId,
      runId: event.runId,
      runSeq: event.runSeq,
      taskId: event.taskId,
      attemptId: event.attemptId,
      type: event.type,
      actor: event.actor,
      cause: event.cause,
      atMs: event.atMs,
      data: event.data,
      pos,
      cursor: `${incarnation}.${pos}`,
      isOwn: true,
    };
  });
}

function handedOut(result: BatchResult): Assigned[] {
  const byWorker = new Map<string, string[]>();
  for (const { reply } of result.dispatches) {
    for (const { worker, attempt } of reply.claimed ?? []) {
      byWorker.set(worker, [...(byWorker.get(worker) ?? []), attempt]);
    }
  }
  return [...byWorker].map(([worker, attempts]) => ({ worker, attempts }));
}
