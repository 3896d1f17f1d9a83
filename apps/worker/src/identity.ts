import { AppError } from '@baton/contract';
import { createClient } from '@baton/sdk';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Declared } from './capabilities.ts';
import type { WorkerConfig } from './config.ts';
import { writeFileAtomic } from './spool/durable-file.ts';

const saved = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  url: z.string(),
  project: z.string(),
});

/** Who this worker is to its control plane. Kept in the data directory, so it survives restarts. */
export type Identity = z.infer<typeof saved>;

/**
 * The identity of this data directory; registers with the join token when there is none yet, or when
 * the directory belongs to another name or control plane.
 * @throws {AppError} join_token_invalid, worker_exists, control_plane_unreachable, bad_config
 */
export async function obtainIdentity(config: WorkerConfig, declared: Declared): Promise<Identity> {
  const known = findIdentity(config);
  if (known !== undefined && known.name === config.name && known.url === config.url) return known;
  const token = config.token ?? known?.key;
  if (token === undefined) {
    throw new AppError(
      'bad_config',
      'This worker has not joined yet: give it --token (make one with `baton worker token`).',
    );
  }
  return joinWith(config, declared, token);
}

/** Who the worker is now; changes when it has to join again. */
export interface Membership {
  readonly id: string;
  readonly key: string;
  /**
   * The control plane does not know the key: joins with the join token, if there is one that was not tried.
   * Resolves to whether there is another key. @throws {AppError} join_token_invalid, worker_exists
   */
  rejoin(): Promise<boolean>;
}

/** Begins as `joined`; the join token of `config` is tried once. */
export function createMembership(
  config: WorkerConfig,
  declared: Declared,
  joined: Identity,
): Membership {
  let identity = joined;
  let { token } = config;
  return {
    get id() {
      return identity.id;
    },
    get key() {
      return identity.key;
    },
    async rejoin() {
      if (token === undefined) return false;
      const given = token;
      // Once: a token that was used up would be refused each time.
      token = undefined;
      identity = await joinWith(config, declared, given);
      return true;
    },
  };
}

/**
 * Joins, again if need be, with a join token or the worker's own key, and keeps the identity.
 * @throws {AppError} join_token_invalid, worker_exists, control_plane_unreachable
 */
async function joinWith(
  config: WorkerConfig,
  declared: Declared,
  token: string,
): Promise<Identity> {
  const joined = await createClient({ baseUrl: config.url }).call('registerWorker', {
    body: {
      token,
      name: config.name,
      machine_id: hostname().slice(0, 128),
      slots: config.slots,
      labels: { ...declared.labels },
      capabilities: declared.capabilities,
      ephemeral: config.ephemeral,
      version: config.version,
    },
  });
  const identity: Identity = { ...joined, url: config.url };
  writeFileAtomic(pathOf(config), JSON.stringify(identity), { sync: true });
  return identity;
}

function pathOf(config: WorkerConfig): string {
  return join(config.dataDir, 'worker.json');
}

function findIdentity(config: WorkerConfig): Identity | undefined {
  try {
    return saved.parse(JSON.parse(readFileSync(pathOf(config), 'utf8')));
  } catch {
    return undefined;
  }
}
