import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '@baton/contract';
import { z } from 'zod';
import { parseJson } from './parse-json.ts';

/** `client.json` of a data directory: how commands on the same machine reach its control plane. */
export const clientFile = z.object({ url: z.string(), key: z.string().optional() });
export type ClientFile = z.infer<typeof clientFile>;

const FILE_NAME = 'client.json';

/** Undefined when there is none. @throws AppError bad_config when it cannot be read. */
export function findClientFile(dataDir: string): ClientFile | undefined {
  const path = join(dataDir, FILE_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw new AppError('bad_config', `Cannot read ${path}; its owner may.`, { cause: error });
  }
  const parsed = clientFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError(
    'bad_config',
    `${path} is damaged. Remove it and start \`baton up\` again, or say --url and --api-key.`,
  );
}

/** Replaces the file in one step; only its owner may read it. */
export function writeClientFile(dataDir: string, content: ClientFile): void {
  const path = join(dataDir, FILE_NAME);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, path);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
