import { AppError } from '@baton/contract';
import type { Context } from '../context.ts';
import { flag, text } from '../option.ts';
import { loadServer } from './server.ts';

/** Flags of `baton db` alike. */
export const databaseOptions = {
  databaseUrl: text(
    '--database-url <url>',
    'PostgreSQL to use in place of the embedded one (DATABASE_URL)',
  ),
  unsafeDurability: flag(
    '--unsafe-durability',
    'accept a database that may lose acknowledged commits',
  ),
};

/** The tools for a database, and where it is. They are loaded only now, like the control plane. */
export async function openTools(
  { config }: Pick<Context, 'config'>,
  options: { readonly unsafeDurability: boolean },
) {
  const { dataDir, databaseUrl } = config;
  const { unsafeDurability } = options;
  const settings = {
    dataDir,
    unsafeDurability,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  };
  return { tools: await loadServer(), settings };
}

/** True when a control plane has the embedded database open: then it is asked instead. */
export function isInUse(error: unknown): boolean {
  return error instanceof AppError && error.code === 'data_dir_in_use';
}

/** Says to end the control plane first, where nothing else will do. */
export async function whileStopped<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new AppError(
      'data_dir_in_use',
      `A control plane works on this database: end it first, then ${what}.`,
      { cause: error },
    );
  }
}
