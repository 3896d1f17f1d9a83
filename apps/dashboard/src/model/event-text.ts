import type { Event, Json } from '@baton/contract';
import { bytesText } from './format.ts';
import { S } from '../strings.ts';

/** What an event tells beyond its name, in one line. `nameOf` gives the key of a task. */
export function eventText(event: Event, nameOf: (task: string) => string): string {
  if (event.type.startsWith('dependency.')) return edgeText(event, nameOf);
  const parts = Object.entries(event.data)
    .filter(([key, value]) => !HIDDEN.has(key) && !SILENT.has(value))
    .map(([key, value]) => fieldText(key, value));
  return parts.filter((part) => part !== '').join(' · ');
}

/** Values that say nothing. */
const SILENT: ReadonlySet<unknown> = new Set([null, '', false, 'normal']);

function edgeText({ data }: Event, nameOf: (task: string) => string): string {
  const end = (key: string): string => {
    const task = data[key];
    return typeof task === 'string' ? nameOf(task) : S.unknown;
  };
  const parts = [`${end('upstream')} → ${end('downstream')}`, data['type'], data['contract_key']];
  return parts.filter((part) => typeof part === 'string').join(' · ');
}

/** Who did it, in a word. */
export function actorText({ actor }: Event): string {
  return actor.name ?? actor.id ?? actor.kind;
}

/** Ids that the row shows elsewhere, or that say nothing to a person. */
const HIDDEN: ReadonlySet<string> = new Set([
  'worker',
  'attempt',
  'checkpoint',
  'order',
  'sha256',
  'artifact',
  'note',
  'epoch',
  'schema',
]);

/** Fields whose value speaks for itself. */
const BARE: ReadonlySet<string> = new Set([
  'goal',
  'key',
  'title',
  'reason',
  'text',
  'question',
  'worker_name',
  'name',
  'summary',
  'engine',
]);

function fieldText(key: string, value: Json): string {
  if (key === 'result' || key === 'resolution' || key === 'delivery') return objectText(value);
  if (key === 'usage') return usageText(value);
  if (key === 'percent' && typeof value === 'number') return `${value} %`;
  if (key === 'size' && typeof value === 'number') return bytesText(value);
  const text = plainText(value);
  return BARE.has(key) ? text : `${key.replaceAll('_', ' ')} ${text}`;
}

function objectText(value: Json): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return plainText(value);
  const { summary, option, text, status, state, branch } = value;
  return [option, text, summary ?? status, state, branch]
    .filter((part) => typeof part === 'string')
    .join(' · ');
}

function usageText(value: Json): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  return typeof value['usd'] === 'string' ? `$${value['usd']}` : '';
}

function plainText(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.join(', ');
  return value === null ? S.none : JSON.stringify(value);
}
