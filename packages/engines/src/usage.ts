import type { Json, Usage } from '@baton/contract';
import { countOf, numberOf, objectOf } from './loose-json.ts';

/** Counts of tokens and money while they are added up. `usd` undefined: unknown. */
export interface Tally {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly usd: number | undefined;
}

export const emptyTally: Tally = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  usd: undefined,
};

export function addTally(a: Tally, b: Tally): Tally {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    usd: a.usd === undefined ? b.usd : a.usd + (b.usd ?? 0),
  };
}

/** `a` without `b`, never below zero: a counter that was reset counts as new. */
export function subtractTally(a: Tally, b: Tally): Tally {
  const less = (from: number, what: number): number => (from >= what ? from - what : from);
  return {
    input: less(a.input, b.input),
    output: less(a.output, b.output),
    cacheRead: less(a.cacheRead, b.cacheRead),
    cacheWrite: less(a.cacheWrite, b.cacheWrite),
    usd: a.usd === undefined ? undefined : less(a.usd, b.usd ?? 0),
  };
}

/** Money as the wire has it: a decimal string of dollars, at most six places, without zeros at the end. */
export function usdText(usd: number): string {
  return usd.toFixed(6).replace(/\.?0+$/, '');
}

type UsageFields =
  | Omit<Usage, 'by_model' | 'usd'>
  | (Omit<Usage, 'by_model' | 'usd'> & { usd: string });

/** The wire form. `byModel` may be empty. */
export function usageOf(total: Tally, byModel: ReadonlyMap<string, Tally>): Usage {
  return {
    ...fieldsOf(total),
    ...(byModel.size === 0
      ? {}
      : {
          by_model: Object.fromEntries(
            [...byModel].map(([model, tally]): [string, Json] => [model, fieldsOf(tally)]),
          ),
        }),
  };
}

/** The counts of a wire form. */
export function tallyOf(usage: Usage): Tally {
  return {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cacheRead: usage.cache_read_tokens,
    cacheWrite: usage.cache_write_tokens,
    usd: usage.usd === undefined ? undefined : Number(usage.usd),
  };
}

/** The counts by model of a wire form. */
export function tallyByModel(usage: Usage): Map<string, Tally> {
  return new Map(
    Object.entries(usage.by_model ?? {}).map(([model, value]) => {
      const fields = objectOf(value);
      const usd = numberOf(Number(fields['usd'] ?? Number.NaN));
      return [
        model,
        {
          input: countOf(fields['input_tokens']),
          output: countOf(fields['output_tokens']),
          cacheRead: countOf(fields['cache_read_tokens']),
          cacheWrite: countOf(fields['cache_write_tokens']),
          usd,
        },
      ];
    }),
  );
}

/** Tallies by model, added. */
export function mergeTallies(
  a: ReadonlyMap<string, Tally>,
  b: ReadonlyMap<string, Tally>,
): Map<string, Tally> {
  const merged = new Map(a);
  for (const [model, tally] of b) {
    merged.set(model, addTally(merged.get(model) ?? emptyTally, tally));
  }
  return merged;
}

/** What two turns of one attempt used together. */
export function addUsage(a: Usage, b: Usage): Usage {
  return usageOf(addTally(tallyOf(a), tallyOf(b)), mergeTallies(tallyByModel(a), tallyByModel(b)));
}

function fieldsOf(tally: Tally): UsageFields {
  return {
    input_tokens: tally.input,
    output_tokens: tally.output,
    cache_read_tokens: tally.cacheRead,
    cache_write_tokens: tally.cacheWrite,
    ...(tally.usd === undefined ? {} : { usd: usdText(tally.usd) }),
  };
}
