import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@baton/contract';

const name = 'instance.secret';
const secretBytes = 32;

/**
 * The secret of this installation: 32 random bytes, made once, readable by its owner only. Tokens that
 * may be handed out again are derived from it.
 * @throws {AppError} bad_config when the file is there and is not a secret
 */
export async function readInstanceSecret(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, name);
  const found = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found !== undefined) return checked(found, path);
  // Written aside and linked into place: the secret is never seen half written, and never replaced.
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(secretBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(aside);
  }
  return checked(await readFile(path), path);
}

function checked(secret: Buffer, path: string): Uint8Array {
  if (secret.length === secretBytes) return secret;
  throw new AppError(
    'bad_config',
    `${path} is not the secret of this installation: it has ${secret.length} bytes instead of ${secretBytes}. Put the right file back; a new one would end every attempt that runs.`,
  );
}
