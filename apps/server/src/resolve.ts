import { AppError } from '@baton/contract';
import type { Findable, Reads } from '@baton/store';
import { publicTaskId } from './views/ids.ts';

const nouns: Readonly<Record<Findable, string>> = {
  runs: 'run',
  tasks: 'task',
  checkpoints: 'checkpoint',
  attempts: 'attempt',
  artifacts: 'artifact',
  workers: 'worker',
};

/**
 * The stored id for what a caller wrote: an id, a client-chosen task id, or the beginning of only one.
 * What belongs to another project does not exist.
 * @throws {AppError} not_found, ambiguous
 */
export async function resolveId(
  reads: Pick<Reads, 'findIds'>,
  kind: Findable,
  project: string,
  text: string,
): Promise<string> {
  const ids = await reads.findIds(kind, project, text);
  const [only] = ids;
  if (only === undefined) throw notFound(nouns[kind], text);
  if (ids.length === 1) return only;
  const shown = ids.map(publicTaskId);
  throw new AppError(
    'ambiguous',
    `${JSON.stringify(text)} is the beginning of several ids; write more of it.`,
    {
      detail: { ids: shown },
    },
  );
}

/** The refusal for what does not exist, or not for this caller. */
export function notFound(noun: string, text: string): AppError {
  return new AppError('not_found', `There is no ${noun} ${JSON.stringify(text.slice(0, 130))}.`);
}

/** @throws {AppError} not_found when the value is undefined */
export function found<T>(value: T | undefined, noun: string, text: string): T {
  if (value === undefined) throw notFound(noun, text);
  return value;
}
