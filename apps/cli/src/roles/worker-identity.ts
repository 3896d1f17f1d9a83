import { existsSync } from 'node:fs';
import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@baton/contract';

/** Where the worker of this name keeps its key, spools and workspaces: several may share a data directory. */
export function workerDir(dataDir: string, name: string): string {
  return join(dataDir, 'workers', name);
}

/** True when a worker of this directory has joined before and has its own key. */
export function hasJoined(dir: string): boolean {
  return existsSync(join(dir, 'worker.json'));
}

/** The machine's name, made to fit the rules for worker names. */
export function defaultWorkerName(): string {
  const [first = ''] = hostname().split('.');
  const name = first
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'local' : name;
}

/** Half of the machine's cores, at least two. */
export function defaultSlots(): number {
  return Math.max(2, Math.floor(cpus().length / 2));
}

/** A join token may carry the control plane's address behind a dot. */
export function urlInToken(token: string | undefined): string | undefined {
  const encoded = token?.split('.')[1];
  if (encoded === undefined) return undefined;
  const url = Buffer.from(encoded, 'base64url').toString('utf8');
  if (URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new AppError('join_token_invalid', 'The join token is damaged: copy the whole line again.');
}
