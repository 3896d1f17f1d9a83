import { AppError, type Assignment, type AttemptArtifact } from '@baton/contract';
import { createClient } from '@baton/sdk';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import type { WorkerConfig } from '../config.ts';

/** Files of an attempt on their way to the control plane, and back to another worker. */
export interface Uploader {
  /** Announces a file and sends its content unless it is stored already. */
  add(
    it: Assignment,
    path: string,
    about: Pick<AttemptArtifact, 'name' | 'kind' | 'media_type'> & Partial<AttemptArtifact>,
  ): Promise<unknown>;
  /** A file that the agent names, inside its workspace. @throws {AppError} not_found, forbidden */
  addFile(
    it: Assignment,
    wanted: {
      readonly path: string;
      readonly name?: string | undefined;
      readonly kind?: AttemptArtifact['kind'] | undefined;
      readonly media_type?: string | undefined;
    },
  ): Promise<unknown>;
  /** Fetches the content of an artifact into a file. */
  fetch(it: Assignment, artifact: string, path: string): Promise<void>;
}

export function createUploader(
  config: WorkerConfig,
  workspaceOf: (attempt: string) => string | undefined,
): Uploader {
  const clientOf = (it: Assignment) => createClient({ baseUrl: config.url, token: it.token });

  const add: Uploader['add'] = async (it, path, about) => {
    const { size } = await stat(path);
    const client = clientOf(it);
    const announced = await client.call('addAttemptArtifact', {
      params: { id: it.attempt.id },
      body: {
        epoch: it.attempt.epoch,
        size,
        sha256: await sha256Of(path),
        meta: {},
        ...about,
      },
    });
    if (announced.upload !== null) {
      await client.upload(announced.upload, new Uint8Array(await readFile(path)));
    }
    return announced.artifact;
  };

  return {
    add,
    async addFile(it, wanted) {
      const root = workspaceOf(it.attempt.id);
      if (root === undefined) throw new AppError('not_found', 'The attempt has no workspace.');
      const path = await realpath(resolve(root, wanted.path)).catch(() => {
        throw new AppError('not_found', `There is no file ${wanted.path} in the workspace.`);
      });
      const inside = relative(await realpath(root), path);
      if (inside.startsWith('..') || isAbsolute(inside)) {
        throw new AppError('forbidden', `${wanted.path} lies outside the workspace.`);
      }
      return add(it, path, {
        name: wanted.name ?? basename(path),
        kind: wanted.kind ?? 'file',
        media_type: wanted.media_type ?? 'application/octet-stream',
      });
    },
    async fetch(it, artifact, path) {
      const response = await clientOf(it).download('getArtifactContent', artifact);
      await writeFile(path, Buffer.from(await response.arrayBuffer()), { mode: 0o600 });
    },
  };
}

/** Where a fetched bundle of an upstream commit is put. */
export function bundlePath(attemptDir: string, artifact: string): string {
  return join(attemptDir, `${artifact}.bundle`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
