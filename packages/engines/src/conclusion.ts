/**
 * What an agent says at its end: the last fenced `baton:conclusion` block of its output. Agents write
 * it by hand, so nothing in it is taken for granted and nothing here throws.
 */
import { conclusion as conclusionSchema, contractKey, RESULT_STATUSES } from '@baton/contract';
import type { Conclusion, Json } from '@baton/contract';
import { parse } from 'yaml';
import { cutMiddle, tail } from './cut.ts';
import { isObject } from './loose-json.ts';
import type { LooseObject } from './loose-json.ts';

const limits = {
  blockCharsMax: 512 * 1024,
  textCharsMax: 20_000,
  synthesizedCharsMax: 2_000,
  filesMax: 500,
  depthMax: 64,
} as const;

/** The info string of the fence. */
export const conclusionFence = 'baton:conclusion';

/** The last conclusion block in a text, repaired where it can be; undefined when there is none. */
export function findConclusion(text: string): Conclusion | undefined {
  const block = lastBlock(text);
  if (block === undefined) return undefined;
  const warnings: string[] = [];
  if (!block.closed) warnings.push('the block was not closed');
  const fields = fieldsOf(block.body.slice(0, limits.blockCharsMax), warnings);
  return finish(
    {
      status: statusOf(fields['status'], warnings),
      summary: textIn(fields['summary']) ?? '',
      outputs: outputsOf(fields['outputs'] ?? fields['contracts'], warnings),
      tests: testsOf(fields['tests']),
      follow_up: textIn(fields['follow_up'] ?? fields['followup']),
      confidence: confidenceOf(fields['confidence'], warnings),
      files: listOf(fields['files'] ?? fields['artifacts']),
      synthesized: false,
    },
    warnings,
  );
}

/** What is known of a run when its agent may have said nothing. */
export interface RunEnd {
  /** The agent's last words. */
  readonly text: string;
  readonly ok: boolean;
  /** Why it failed, in a sentence; used when it did not conclude by itself. */
  readonly reason?: string;
}

/**
 * The agent's conclusion, or one made from its last words and how it ended, marked `synthesized`.
 * A failed run never has a conclusion of success.
 */
export function conclude(end: RunEnd): Conclusion {
  const own = findConclusion(end.text);
  if (own === undefined) return synthesize(end);
  if (end.ok || own.status !== 'success') return own;
  return {
    ...own,
    status: 'failed',
    warnings: [
      ...own.warnings,
      `the agent concluded success, but ${end.reason ?? 'its run failed'}`,
    ],
  };
}

function synthesize(end: RunEnd): Conclusion {
  const words = tail(end.text.trim(), limits.synthesizedCharsMax);
  const summary = end.ok
    ? words
    : [end.reason ?? 'the run failed', words].filter((part) => part !== '').join('\n\n');
  return finish({ status: end.ok ? 'success' : 'failed', summary, synthesized: true }, []);
}

/** The schema has the last word: a field it does not take is left out and told. */
function finish(
  fields: { readonly status: Conclusion['status']; readonly summary: string } & LooseFields,
  warnings: readonly string[],
): Conclusion {
  const present = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  const checked = conclusionSchema.safeParse({
    ...present,
    summary: cutMiddle(fields.summary, limits.textCharsMax),
    warnings: warnings.slice(0, 20),
  });
  if (checked.success) return checked.data;
  return conclusionSchema.parse({
    status: fields.status,
    summary: cutMiddle(fields.summary, limits.textCharsMax),
    synthesized: fields['synthesized'] === true,
    warnings: [...warnings.slice(0, 20), 'fields that fit no conclusion were left out'],
  });
}

type LooseFields = { readonly [key: string]: Json | undefined };

const opening = /^ {0,3}(`{3,}|~{3,})[ \t]*baton:conclusion[ \t]*$/;

function lastBlock(text: string): { body: string; closed: boolean } | undefined {
  let found: { body: string; closed: boolean } | undefined;
  let fence: string | undefined;
  let body: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const opened = opening.exec(line)?.[1];
    if (opened !== undefined) {
      fence = opened;
      body = [];
    } else if (fence !== undefined && isClosing(line, fence)) {
      found = { body: body.join('\n'), closed: true };
      fence = undefined;
    } else if (fence !== undefined) {
      body.push(line);
    }
  }
  return fence === undefined ? found : { body: body.join('\n'), closed: false };
}

function isClosing(line: string, fence: string): boolean {
  const mark = line.trim();
  return mark.length >= fence.length && mark === (fence[0] ?? '`').repeat(mark.length);
}

function fieldsOf(body: string, warnings: string[]): LooseObject {
  try {
    const value = toJson(parse(body, { logLevel: 'silent', maxAliasCount: 100 }), 0);
    // A summary that is no text is prose with a colon in it.
    if (isObject(value) && !isObject(value['summary'])) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key.toLowerCase().replaceAll('-', '_'), item]),
      );
    }
  } catch {
    // Fall through: what can be read line by line is better than nothing.
  }
  warnings.push('the block is not YAML of the expected form: read line by line');
  return salvage(body);
}

const salvageable = /^\s*(status|summary|follow_up|confidence)\s*:\s*(.*)$/i;

/** Single-line fields of a block that is not YAML; without any, the whole block is the summary. */
function salvage(body: string): LooseObject {
  const fields: { [key: string]: Json } = {};
  for (const line of body.split('\n')) {
    const [, key, value] = salvageable.exec(line) ?? [];
    if (key !== undefined && value !== undefined) {
      fields[key.toLowerCase()] = value.trim().replace(/^(["'])(.*)\1$/, '$2');
    }
  }
  return fields['summary'] === undefined ? { ...fields, summary: body.trim() } : fields;
}

/** YAML knows more than JSON does: dates, infinities, keys that are no text. */
function toJson(value: unknown, depth: number): Json {
  if (depth > limits.depthMax) return null;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (value instanceof Map) return toJson(Object.fromEntries(value), depth);
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, toJson(item, depth + 1)]),
    );
  }
  return typeof value === 'bigint' ? value.toString() : null;
}

const statusWords: readonly (readonly [Conclusion['status'], RegExp])[] = [
  ['partial', /^(partial|partly|incomplete)/],
  ['blocked', /^(blocked|waiting|stuck)/],
  ['failed', /^(fail|error|unsuccessful|aborted)/],
  ['success', /^(success|succeeded|ok|done|complete|passed)/],
];

function statusOf(value: Json | undefined, warnings: string[]): Conclusion['status'] {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const exact = RESULT_STATUSES.find((status) => status === word);
  if (exact !== undefined) return exact;
  const near = statusWords.find(([, words]) => words.test(word))?.[0];
  // Without a status nobody claimed success.
  const status = near ?? 'partial';
  warnings.push(word === '' ? 'no status: read as partial' : `status "${word}": read as ${status}`);
  return status;
}

function textIn(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text =
    typeof value === 'string'
      ? value
      : Array.isArray(value)
        ? value.map((item) => `- ${textIn(item) ?? ''}`).join('\n')
        : JSON.stringify(value);
  return cutMiddle(text.trim(), limits.textCharsMax);
}

function outputsOf(value: Json | undefined, warnings: string[]): Record<string, Json> {
  if (!isObject(value)) return {};
  const outputs: Record<string, Json> = {};
  for (const [key, data] of Object.entries(value)) {
    if (contractKey.safeParse(key).success && data !== undefined) outputs[key] = data;
    else warnings.push(`output "${key.slice(0, 80)}" has no valid key: left out`);
  }
  return outputs;
}

function testsOf(value: Json | undefined): Json | undefined {
  if (!isObject(value)) return undefined;
  const count = (field: string): number => {
    const number = Number(value[field] ?? 0);
    return Number.isSafeInteger(number) && number >= 0 ? number : 0;
  };
  if (value['passed'] === undefined && value['failed'] === undefined) return undefined;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

function confidenceOf(value: Json | undefined, warnings: string[]): number | undefined {
  if (value === undefined || value === null) return undefined;
  const text = (textIn(value) ?? '').trim();
  const number = Number(text.replace(/%$/, ''));
  const share = text.endsWith('%') || (number > 1 && number <= 100) ? number / 100 : number;
  if (share >= 0 && share <= 1 && text !== '') return share;
  warnings.push(`confidence "${text.slice(0, 80)}": left out`);
  return undefined;
}

function listOf(value: Json | undefined): string[] {
  const items =
    typeof value === 'string' ? value.split(/[\n,]/) : Array.isArray(value) ? value : [];
  return items
    .map((item) => textIn(isObject(item) ? (item['path'] ?? item['name'] ?? null) : item) ?? '')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .slice(0, limits.filesMax);
}
