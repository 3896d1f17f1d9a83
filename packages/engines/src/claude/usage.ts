import type { AgentUsage, Usage } from '@baton/contract';
import type { ReaderStart } from '../engine.ts';
import { countOf, isObject, numberOf, objectOf, textOf } from '../loose-json.ts';
import type { LooseObject } from '../loose-json.ts';
import {
  addTally,
  emptyTally,
  mergeTallies,
  subtractTally,
  tallyByModel,
  tallyOf,
  usageOf,
} from '../usage.ts';
import type { Tally } from '../usage.ts';

type ByModel = ReadonlyMap<string, Tally>;

/**
 * Adds up what one attempt used. In a result, `modelUsage` and `total_cost_usd` are totals of the
 * whole conversation and `usage` is of this process; `model_usage_since_last_result` is exact, and
 * newer. While there is no result, the messages' own counts are the best there is.
 */
export class ClaudeUsage {
  readonly #start: ReaderStart;
  readonly #byMessage = new Map<string, { readonly model: string; readonly tally: Tally }>();
  #byModel = new Map<string, Tally>();
  #conversation: ByModel | undefined;
  #conversationUsd: number | undefined;
  /** Tokens without a known model or price, from a result that says no more. */
  #loose: Tally | undefined;

  constructor(start: ReaderStart) {
    this.#start = start;
    if (start.priorUsage !== undefined) this.#conversation = tallyByModel(start.priorUsage);
  }

  addMessage(message: LooseObject): void {
    const id = message['id'];
    const counts = message['usage'];
    if (typeof id !== 'string' || !isObject(counts) || message['model'] === '<synthetic>') return;
    this.#byMessage.set(id, { model: textOf(message['model']) ?? '', tally: apiTally(counts) });
  }

  addResult(result: LooseObject): void {
    const total = byModelOf(result['modelUsage']);
    const since = isObject(result['model_usage_since_last_result'])
      ? byModelOf(result['model_usage_since_last_result'])
      : this.#difference(total);
    if (since === undefined) {
      this.#loose = apiTally(objectOf(result['usage']));
    } else {
      this.#byModel = mergeTallies(this.#byModel, since);
    }
    this.#conversation = total;
    this.#conversationUsd = numberOf(result['total_cost_usd']);
    this.#byMessage.clear();
  }

  /** What was used and not yet part of a result: true when a result is still owed. */
  get isOwed(): boolean {
    return this.#byMessage.size > 0;
  }

  /** The attempt so far; null when nothing was counted. */
  total(): Usage | null {
    const open = openTallies(this.#byMessage);
    const byModel = mergeTallies(this.#byModel, open);
    const all = [...byModel.values(), ...(this.#loose === undefined ? [] : [this.#loose])];
    if (all.length === 0) return null;
    return usageOf(all.reduce(addTally, emptyTally), byModel);
  }

  event(): AgentUsage | undefined {
    const total = this.total();
    if (total === null) return undefined;
    const estimated = this.isOwed || this.#loose !== undefined;
    const conversation = this.#conversationTotal();
    return {
      type: 'usage',
      ...total,
      estimated,
      ...(conversation === undefined ? {} : { conversation }),
    };
  }

  /** What a result adds, when only conversation totals are given; undefined without a baseline. */
  #difference(total: ByModel): ByModel | undefined {
    const before = this.#conversation;
    if (before === undefined) return this.#start.resumed === true ? undefined : total;
    return new Map(
      [...total].map(([model, tally]) => [
        model,
        subtractTally(tally, before.get(model) ?? emptyTally),
      ]),
    );
  }

  #conversationTotal(): Usage | undefined {
    if (this.#conversation === undefined) return undefined;
    const sum = [...this.#conversation.values()].reduce(addTally, emptyTally);
    const prior = this.#start.priorUsage;
    if (this.#conversation.size === 0 && prior !== undefined)
      return usageOf(tallyOf(prior), new Map());
    return usageOf({ ...sum, usd: this.#conversationUsd ?? sum.usd }, this.#conversation);
  }
}

function openTallies(
  byMessage: ReadonlyMap<string, { readonly model: string; readonly tally: Tally }>,
): Map<string, Tally> {
  const open = new Map<string, Tally>();
  for (const { model, tally } of byMessage.values()) {
    open.set(model, addTally(open.get(model) ?? emptyTally, tally));
  }
  return open;
}

/** Counts as the Messages API names them. */
function apiTally(counts: LooseObject): Tally {
  return {
    input: countOf(counts['input_tokens']),
    output: countOf(counts['output_tokens']),
    cacheRead: countOf(counts['cache_read_input_tokens']),
    cacheWrite: countOf(counts['cache_creation_input_tokens']),
    usd: undefined,
  };
}

/** Counts as the program names them, by model. */
function byModelOf(value: unknown): Map<string, Tally> {
  return new Map(
    Object.entries(objectOf(value)).map(([model, counts]) => {
      const fields = objectOf(counts);
      return [
        model,
        {
          input: countOf(fields['inputTokens']),
          output: countOf(fields['outputTokens']),
          cacheRead: countOf(fields['cacheReadInputTokens']),
          cacheWrite: countOf(fields['cacheCreationInputTokens']),
          usd: numberOf(fields['costUSD']),
        },
      ];
    }),
  );
}
