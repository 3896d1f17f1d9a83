import { AppError, ERROR_CODES, type Assignment, type AttemptArtifact } from '@baton/contract';
import { createClient } from '@baton/sdk';
import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerConfig } from '../config.ts';
import type { PendingUpload } from './report.ts';

/** Files of an attempt on their way to the control plane, and back to another worker. */
export interface Uploader {
  /**
   * Announces a file and sends its content unless it is stored already; again until the control plane
   * has it, refuses it, or `signal` fires. @throws {AppError} what it was refused with
   */
  add(it: Assignment, upload: PendingUpload, signal?: AbortSignal): Promise<unknown>;
  /** A file that the agent names, inside its workspace. @throws {AppError} not_found, forbidden */
  addFile(
    it: Assignment,
    wanted: {
      readonly path: string;
      readonly name?: string | undefined;
      readonly kind?: AttemptArtifact['kind'] | undefined;
      readonly media_type?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<unknown>;
  /** Fetches the content of an artifact into a file. */
  fetch(it: Assignment, artifact: string, path: string): Promise<void>;
}

const retryMsMin = 500;
const retryMsMax = 30_000;

/** `workspaceOf` answers the directory of an attempt, outside of which no file is taken. */
export function createUploader(
  config: WorkerConfig,
  workspaceOf: (attempt: string) => string | undefined,
): Uploader {
  const clientOf = (it: Assignment) => createClient({ baseUrl: config.url, token: it.token });

  async function addOnce(it: Assignment, { path, about }: PendingUpload): Promise<unknown> {
    // Opened once, so that what is looked at is what is sent; a pipe must not make the opening wait.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new AppError('bad_request', `${path} is no plain file.`);
      const client = clientOf(it);
      const announced = await client.call('addAttemptArtifact', {
        params: { id: it.attempt.id },
        body: {
          epoch: it.attempt.epoch,
          size: facts.size,
          sha256: await sha256Of(file),
          ...about,
        },
      });
      if (announced.upload !== null) {
        await client.upload(announced.upload, await bytesOf(file, facts.size));
      }
      return announced.artifact;
    } finally {
      await file.close();
    }
  }

  const add: Uploader['add'] = async (it, upload, signal) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await addOnce(it, upload);
      } catch (error) {
        const mayHelp = error instanceof AppError && ERROR_CODES[error.code].retry;
        if (!mayHelp || signal === undefined) throw error;
        const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(tries, 8));
        await sleep(delayMs * (0.5 + Math.random() * 0.5), undefined, { signal });
      }
    }
  };

  return {
    add,
    async addFile(it, wanted, signal) {
      const root = workspaceOf(it.attempt.id);
      if (root === undefined) throw new AppError('not_found', 'The attempt has no workspace.');
      const path = await realpath(resolve(root, wanted.path)).catch(() => {
        throw new AppError('not_found', `There is no file ${wanted.path} in the workspace.`);
      });
      const inside = relative(await realpath(root), path);
      if (inside.startsWith('..') || isAbsolute(inside)) {
        throw new AppError('forbidden', `${wanted.path} lies outside the workspace.`);
      }
      const about = {
        name: wanted.name ?? basename(path),
        kind: wanted.kind ?? 'file',
        media_type: wanted.media_type ?? 'application/octet-stream',
        meta: {},
      };
      return add(it, { path, about }, signal);
    },
    async fetch(it, artifact, path) {
      const { body } = await clientOf(it).download('getArtifactContent', artifact);
      if (body === null) throw new AppError('not_found', `Artifact ${artifact} has no content.`);
      await pipeline(
        Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]),
        createWriteStream(path, { mode: 0o600 }),
      );
    },
  };
}

async function sha256Of(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const bytes = file.createReadStream({ start: 0, autoClose: false });
  for await (const chunk of bytes) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The first `size` bytes, however far they were read before. */
async function bytesOf(file: FileHandle, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
