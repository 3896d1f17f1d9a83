import type { Command, CommandType } from '@baton/contract';
import type { BatchTx, BatchWrites, CoordinatorStore } from '@baton/coordinator';
import type { AttemptRow } from '@baton/kernel';
import { HANDLERS } from '@baton/kernel/testing';
import type { RowChange } from '@baton/store';

/** A handler of the kernel, whatever its command. */
export type AnyHandler = (draft: AnyDraft, command: Command) => unknown;

interface AnyDraft {
  nowMs: number;
  find(table: 'attempts', id: string): AttemptRow | null;
}

/** Replaces handlers of the kernel until it is undone. */
export function handlers(
  types: readonly CommandType[],
  spoil: (original: AnyHandler) => AnyHandler,
): () => () => void {
  return () => {
    const all = HANDLERS as unknown as Record<string, AnyHandler>;
    const before = types.map((type) => [type, all[type]] as const);
    for (const [type, original] of before) if (original !== undefined) all[type] = spoil(original);
    return () => {
      for (const [type, original] of before) if (original !== undefined) all[type] = original;
    };
  };
}

/** Wraps the transactions of a store. */
export function transactions(wrap: (tx: BatchTx) => Partial<BatchTx>) {
  return (store: CoordinatorStore): CoordinatorStore => ({
    ...store,
    transaction: (work) =>
      store.transaction((tx) => {
        const spoilt = wrap(tx);
        const whole = new Proxy(tx, {
          get: (target, key) => {
            if (key in spoilt) return spoilt[key as keyof BatchTx];
            const value: unknown = Reflect.get(target, key);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
        return work(whole);
      }),
  });
}

/** Changes what is written, in a transaction or ahead. */
export function writes(change: (all: BatchWrites) => BatchWrites) {
  const inTransactions = transactions((tx) => ({ commit: (all) => tx.commit(change(all)) }));
  return (store: CoordinatorStore): CoordinatorStore => ({
    ...inTransactions(store),
    write: (premises, all) => store.write(premises, change(all)),
  });
}

/** Changes rows that are written; `null` leaves one out. */
export function rows(change: (row: RowChange) => RowChange | null) {
  return writes((all) => ({
    ...all,
    rows: all.rows.flatMap((row) => change(row) ?? []),
  }));
}

/** A refusal with one of these codes is answered as if it had been done. */
export const forgiving =
  (...codes: readonly string[]) =>
  (original: AnyHandler): AnyHandler =>
  (draft, command) => {
    const outcome = original(draft, command) as { readonly refused?: { readonly code: string } };
    const code = outcome.refused?.code;
    return code !== undefined && codes.includes(code) ? {} : outcome;
  };

/** The clock of one decision is ahead. */
export const ahead =
  (ms: number) =>
  (original: AnyHandler): AnyHandler =>
  (draft, command) => {
    draft.nowMs += ms;
    try {
      return original(draft, command);
    } finally {
      draft.nowMs -= ms;
    }
  };
