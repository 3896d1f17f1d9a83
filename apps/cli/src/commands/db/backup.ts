import { createWriteStream, existsSync } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { AppError } from '@baton/contract';
import { command, required } from '../../command.ts';
import { databaseOptions, isInUse, openTools } from '../../roles/database.ts';
import { show, stack } from '../../terminal/shown.ts';

export const dbBackup = command({
  name: ['db', 'backup'],
  summary: 'write rows and blobs to a new file, as they are at one moment',
  details:
    'Works beside a control plane. The file has a checksum; it does not hold `instance.secret` of the data directory, which is to be kept apart.',
  arguments: { file: required('file to write; it must not be there yet') },
  options: databaseOptions,
  async run(context, { file }, options) {
    const path = resolve(context.cwd, file);
    if (existsSync(path)) throw existing(path);
    const { tools, settings } = await openTools(context, options);
    context.activity.say('backing up');
    await tools.backupDatabase(settings, path).catch(async (error: unknown) => {
      if (!isInUse(error)) throw error;
      await download(await context.client().download('backupDatabase', ''), path);
    });
    const { header, rows, blobs } = await tools.verifyBackup(path);
    return {
      json: { file: path, rows, blobs, created_at: header.createdAt },
      text: stack(
        show`${rows} rows and ${blobs} blobs are in ${path}, which was read back and is whole.`,
        show`Keep ${settings.dataDir}/instance.secret apart: attempts that run need it after a restore.`,
      ),
    };
  },
});

async function download(response: Response, path: string): Promise<void> {
  if (response.body === null) throw new AppError('internal', 'The backup came without content.');
  const aside = `${path}.part`;
  try {
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    await pipeline(body, createWriteStream(aside, { mode: 0o600, flush: true }));
    await link(aside, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? existing(path) : error;
    });
  } finally {
    await rm(aside, { force: true });
  }
}

function existing(path: string): AppError {
  return new AppError('already_exists', `${path} is there already; name another file.`);
}
