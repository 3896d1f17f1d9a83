import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '@baton/contract';
import { directoryBlobs, dumpDatabase, writeBackupFile } from '@baton/store';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { contentResponse } from '../content-response.ts';
import { auditEverything } from '../database/audit-everything.ts';
import { blobsDirectory } from '../database/open-database.ts';

/** Backups on their way out; what an interrupted one left is removed by the next. */
const OUTBOX = 'backups.tmp';

/** What an operator does to the database of a control plane that runs. */
export function databaseHandlers(app: App): Pick<Handlers, 'checkDatabase' | 'backupDatabase'> {
  const blobs = blobsDirectory(app.dataDir);
  const outbox = join(app.dataDir, OUTBOX);
  let emptied: Promise<void> | undefined;
  let isBusy = false;

  /** The database is that of every project: only who keeps the first one may see all of it. */
  async function assertKeeper(project: string): Promise<void> {
    const owner = await app.identity.findOwner();
    if (owner?.projectId === project) return;
    throw new AppError('forbidden', 'Only keys of the first project may see the whole database.');
  }

  /** One at a time: each holds up the others, and on the embedded database everybody. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (isBusy) {
      throw new AppError('rate_limited', 'The database is being looked through already; wait.');
    }
    isBusy = true;
    try {
      return await work();
    } finally {
      isBusy = false;
    }
  }

  return {
    async checkDatabase(call) {
      await assertKeeper(call.project);
      const findings = await alone(() => auditEverything(app.db, blobs));
      return {
        ok: findings.every(({ count }) => count === 0),
        checks: findings.map((it) => ({ ...it, faults: [...it.faults] })),
      };
    },

    async backupDatabase(call) {
      await assertKeeper(call.project);
      const path = await alone(async () => {
        emptied ??= rm(outbox, { recursive: true, force: true });
        await emptied;
        await mkdir(outbox, { recursive: true, mode: 0o700 });
        const file = join(outbox, `${randomBytes(8).toString('hex')}.backup`);
        await writeBackupFile(file, (sink) => dumpDatabase(app.db, directoryBlobs(blobs), sink));
        return file;
      });
      const { size } = await stat(path);
      const file = createReadStream(path);
      file.once('close', () => void rm(path, { force: true }));
      call.signal.addEventListener('abort', () => file.destroy());
      return contentResponse({
        body: Readable.toWeb(file) as ReadableStream<Uint8Array>,
        size,
        name: `baton-${new Date().toISOString().slice(0, 10)}.backup`,
        mediaType: 'application/gzip',
      });
    },
  };
}
