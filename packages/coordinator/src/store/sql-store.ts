import type { NewEvent } from '@baton/kernel';
import {
  appendEvents,
  appendLogChunk,
  feedHead,
  fenceFeed,
  findDeclaredOutputs,
  findEpochs,
  findWrittenBytes,
  findEventPlace,
  findIdempotent,
  insertIdempotent,
  listDueTimers,
  listAwaitsToCheck,
  listExpiredLeases,
  listKnownEngines,
  listLimitedKeys,
  listNeeds,
  listOpenAttemptIds,
  listPasses,
  listWorkersToSweep,
  loadAssignmentRows,
  loadList,
  loadRows,
  loadSlots,
  lockBatch,
  lockClaimCandidates,
  lockFreeSlots,
  lockRisenCandidates,
  lockRuns,
  maintain,
  premiseLocks,
  purgeExpired,
  raiseIncarnation,
  readFeed,
  writeStatements,
  seeClaimable,
  seeFeedEnd,
  type Bound,
  type Db,
  type FeedPlace,
  type Queries,
  type Tx,
} from '@baton/store';
import type { BatchTx, BatchWrites, FeedState, PeekTx, Placed, Premises } from './batch-store.ts';
import type { CoordinatorStore } from './coordinator-store.ts';

/** The store of a database; it does not close it. */
export function createSqlStore(db: Db): CoordinatorStore {
  return {
    transaction: (work) => db.transaction((tx) => work(sqlTx(tx))),
    write: (premises, writes) => write(db, premises, writes),
    fence: (mark) => fenceFeed(db, mark),
    readEvents: (fromPos, count) => readEvents(db, fromPos, count),
    peek: (look) => db.readSnapshot((queries) => look(peekTx(queries))),
    outcomeOf: (xid) => db.outcomeOf(xid),
    findEventPlace: (run, runSeq) => findEventPlace(db, run, runSeq),
    listAwaitsToCheck: (limit) => listAwaitsToCheck(db, limit),
    listExpiredLeases: (limit) => listExpiredLeases(db, limit),
    listDueTimers: (limit) => listDueTimers(db, limit),
    listWorkersToSweep: (bounds) => listWorkersToSweep(db, bounds),
    listOpenAttemptIds: () => listOpenAttemptIds(db),
    listNeeds: () => listNeeds(db),
    listKnownEngines: () => listKnownEngines(db),
    listLimitedKeys: () => listLimitedKeys(db),
    listPasses: () => listPasses(db),
    findDeclaredOutputs: (attempt) => findDeclaredOutputs(db, attempt),
    feedHead: () => feedHead(db),
    readFeed: (pos, before, limit) => readFeed(db, pos, before, limit),
    ...(db.openHints && { openHints: db.openHints.bind(db) }),
    raiseIncarnation: (from, to) => raiseIncarnation(db, from, to),
    findEpochs: (attempts) => findEpochs(db, attempts),
    purgeExpired: () => purgeExpired(db),
    findWrittenBytes: () => findWrittenBytes(db),
    maintain: () => maintain(db),
    loadAssignmentRows: (attempt) => loadAssignmentRows(db, attempt),
    appendLogChunk: (piece) => appendLogChunk(db, piece),
  };
}

function sqlTx(tx: Tx): BatchTx {
  return {
    async open(names) {
      const [locked, repeated] = await Promise.all([
        lockBatch(tx, names),
        names.idempotency.length === 0 ? new Map() : findIdempotent(tx, names.idempotency),
      ]);
      return { ...locked, repeated };
    },
    lockRuns: (runs) => lockRuns(tx, runs),
    lockCandidates: (project, needsIds, limitPerNeeds) =>
      lockClaimCandidates(tx, project, needsIds, limitPerNeeds),
    seeQueue: (project, needsIds, limitPerNeeds) =>
      seeClaimable(tx).candidates(project, needsIds, limitPerNeeds),
    lockRisen: (project, needsIds, nowMs) => lockRisenCandidates(tx, project, needsIds, nowMs),
    lockFreeSlots: (project, limitPerKey) => lockFreeSlots(tx, project, limitPerKey),
    loadRows: (table, ids) => loadRows(tx, table, ids),
    loadList: (list, owners) => loadList(tx, list, owners),
    loadSlots: (workers) => loadSlots(tx, workers),
    commit: (writes) => commit(tx, writes),
    rollback: () => tx.rollback(),
  };
}

function peekTx(queries: Queries): PeekTx {
  return {
    loadRows: (table, ids) => loadRows(queries, table, ids),
    loadList: (list, owners) => loadList(queries, list, owners),
    loadSlots: (workers) => loadSlots(queries, workers),
    feed: () => seeFeedEnd(queries),
    ...seeClaimable(queries),
  };
}

async function commit(tx: Tx, writes: BatchWrites): Promise<Placed | undefined> {
  const results = await tx.commitWith(statementsOf(writes));
  return writes.events.length === 0 ? undefined : placedOf(results, writes.events.length);
}

async function write(db: Db, premises: Premises, writes: BatchWrites): Promise<Placed> {
  const results = await db.writeWhole([
    ...premiseLocks(premises),
    ...statementsOf(writes, premises.feed),
  ]);
  return placedOf(results, writes.events.length);
}

/** The events last; `end`: where the feed must end before them. */
function statementsOf(writes: BatchWrites, end?: FeedState): Bound<unknown>[] {
  const { rows, idempotent, events, nowMs, changedRuns, mark } = writes;
  return [
    ...writeStatements(rows, changedRuns),
    ...(idempotent.length === 0 ? [] : [insertIdempotent(idempotent, nowMs)]),
    ...(events.length === 0 ? [] : [appendEvents(events, mark, end)]),
  ];
}

/** Of the answers to a batch's statements, those to its events tell where they stand. */
function placedOf(results: readonly (readonly unknown[])[], count: number): Placed {
  const row = results.at(-1)?.[0] as FeedPlace | undefined;
  if (row === undefined) throw new Error('appending events did not answer their first position');
  const { first_pos: pos, last_at: atMs, incarnation, mark } = row;
  return { pos, atMs, feed: { nextPos: pos + count, incarnation, mark } };
}

async function readEvents(db: Db, fromPos: number, count: number): Promise<NewEvent[]> {
  const found = await readFeed(db, fromPos - 1, fromPos + count, count);
  return found.map(({ event }) => event);
}
