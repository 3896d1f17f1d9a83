import {
  appendEvents,
  appendLogChunk,
  feedHead,
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
  purgeExpired,
  raiseIncarnation,
  readFeed,
  writeStatements,
  seeClaimable,
  type Db,
  type Queries,
  type EventPlace,
  type Tx,
} from '@baton/store';
import type { BatchTx, BatchWrites, PeekTx } from './batch-store.ts';
import type { CoordinatorStore } from './coordinator-store.ts';

/** The store of a database; it does not close it. */
export function createSqlStore(db: Db): CoordinatorStore {
  return {
    transaction: (work) => db.transaction((tx) => work(sqlTx(tx))),
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
      const [{ nowMs, runs }, repeated] = await Promise.all([
        lockBatch(tx, names),
        names.idempotency.length === 0 ? new Map() : findIdempotent(tx, names.idempotency),
      ]);
      return { nowMs, runs, repeated };
    },
    lockRuns: (runs) => lockRuns(tx, runs),
    lockCandidates: (project, needsIds, limitPerNeeds) =>
      lockClaimCandidates(tx, project, needsIds, limitPerNeeds),
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
    ...seeClaimable(queries),
  };
}

async function commit(tx: Tx, writes: BatchWrites): Promise<EventPlace | undefined> {
  const { rows, idempotent, events, nowMs, changedRuns } = writes;
  const results = await tx.commitWith([
    ...writeStatements(rows, changedRuns),
    ...(idempotent.length === 0 ? [] : [insertIdempotent(idempotent, nowMs)]),
    ...(events.length === 0 ? [] : [appendEvents(events)]),
  ]);
  return events.length === 0 ? undefined : firstPlaceOf(results[results.length - 1]);
}

function firstPlaceOf(rows: readonly unknown[] | undefined): EventPlace {
  const row = rows?.[0] as { readonly first_pos: number; readonly last_at: number } | undefined;
  if (row === undefined) throw new Error('appending events did not answer their first position');
  return { pos: row.first_pos, atMs: row.last_at };
}
