import type { ProjectRole, Scope } from '@baton/contract';
import type { PageKey } from './reads.ts';

/** An API key as it is kept. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** sha256 of the key. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

export interface SessionRecord {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly projectId: string;
  readonly role: ProjectRole;
}

export interface JoinTokenRecord {
  readonly id: string;
  readonly projectId: string;
  readonly expiresAtMs: number;
}

/** The person and project of the first start. */
export interface Owner {
  readonly projectId: string;
  readonly userId: string;
  readonly userName: string;
}

/** Who there is. Single statements, each atomic by itself. Secrets come and go as sha256 only. */
export interface Identity {
  /** Undefined when unknown, expired or revoked. */
  findApiKey(hash: string): Promise<ApiKeyRecord | undefined>;
  listApiKeys(
    project: string,
    limit: number,
    after: PageKey | undefined,
  ): Promise<readonly ApiKeyRecord[]>;
  /** Makes a key; with an id that exists, nothing. Answers what is stored under the id. */
  createApiKey(key: NewApiKey): Promise<ApiKeyRecord>;
  /** False when there is no such key in the project. */
  revokeApiKey(project: string, id: string): Promise<boolean>;
  findWorkerByKey(hash: string): Promise<WorkerRecord | undefined>;
  findJoinToken(hash: string): Promise<JoinTokenRecord | undefined>;
  findJoinTokenById(project: string, id: string): Promise<JoinTokenRecord | undefined>;
  /** Undefined when unknown or ended. Notes that it was seen. */
  findSession(hash: string): Promise<SessionRecord | undefined>;
  endSession(id: string): Promise<void>;
  createLoginCode(
    owner: Owner,
    hash: string,
    ttlSeconds: number,
  ): Promise<{ readonly expiresAtMs: number }>;
  /** Trades a code for a session, once; undefined when the code is unknown, used or expired. */
  redeemLoginCode(
    codeHash: string,
    session: { readonly id: string; readonly hash: string },
  ): Promise<SessionRecord | undefined>;
  /** An owner of a project, or of the oldest one; undefined before the first start. */
  findOwner(project?: string): Promise<Owner | undefined>;
  /** Makes project, user and their membership. */
  createOwner(owner: Owner & { readonly projectName: string }): Promise<void>;
}

export interface WorkerRecord {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}

export interface NewApiKey {
  readonly id: string;
  readonly project: string;
  readonly user: string | null;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly expiresInSeconds: number | null;
}
