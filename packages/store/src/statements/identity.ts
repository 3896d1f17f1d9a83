import type { ProjectRole, Scope } from '@baton/contract';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { storableText, toJsonbText } from '../tables/column.ts';
import { beforeKey, type PageKey } from './filter.ts';

/** The person and project of the first start. */
export interface Owner {
  readonly projectId: string;
  readonly userId: string;
  readonly userName: string;
}

/** A session of a browser, with its person's role in the project. */
export interface SessionRecord extends Owner {
  readonly id: string;
  readonly role: ProjectRole;
}

/** An API key as it is kept; `hash` is the sha256 of the key. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

/** An API key to be made. */
export interface NewApiKey {
  readonly id: string;
  readonly project: string;
  readonly user: string | null;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly expiresInSeconds: number | null;
}

/** The worker that a key belongs to. */
export interface WorkerRecord {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}

/** A join token, used up or expired or not: registering decides. */
export interface JoinTokenRecord {
  readonly id: string;
  readonly projectId: string;
  readonly expiresAtMs: number;
}

/** A session ends this long after its login, whatever happens in it. */
const SESSION_DAYS = 30;
/** `last_used_at` and `last_seen_at` are this exact, so that requests rarely write. */
const SEEN_MINUTES = 1;

const apiKeyRow = z.strictObject({
  id: z.string(),
  projectId: z.string(),
  name: z.string(),
  hash: z.string(),
  scopes: z.custom<readonly Scope[]>(Array.isArray),
  createdAtMs: z.int(),
  expiresAtMs: z.int().nullable(),
  lastUsedAtMs: z.int().nullable(),
});

const API_KEY_COLUMNS = `k.id, k.project_id as "projectId", k.name, k.key_hash as hash, k.scopes,
           k.created_at as "createdAtMs", k.expires_at as "expiresAtMs",
           k.last_used_at as "lastUsedAtMs"`;

export const useApiKey = statement({
  name: 'useApiKey',
  args: (hash: string) => [hash, SEEN_MINUTES],
  row: apiKeyRow,
  sql: `
    with used as (
      update api_keys
         set last_used_at = clock_timestamp()
       where key_hash = $1
         and (last_used_at is null
              or last_used_at < clock_timestamp() - make_interval(mins => $2)))
    select ${API_KEY_COLUMNS}
      from api_keys k
     where k.key_hash = $1
       and (k.expires_at is null or k.expires_at > clock_timestamp())`,
});

export const apiKeysPage = statement({
  name: 'apiKeysPage',
  args: (project: string, limit: number, after: PageKey | undefined) => [
    project,
    ...beforeKey(after),
    limit,
  ],
  row: apiKeyRow,
  sql: `
    select ${API_KEY_COLUMNS}
      from api_keys k
     where k.project_id = $1
       and (k.created_at, k.id) < ($2::timestamptz, $3)
     order by k.created_at desc, k.id desc
     limit $4`,
});

export const insertApiKey = statement({
  name: 'insertApiKey',
  args: (key: NewApiKey) => [
    key.id,
    key.project,
    key.user,
    storableText(key.name),
    key.hash,
    toJsonbText(key.scopes),
    key.expiresInSeconds,
  ],
  row: apiKeyRow,
  sql: `
    insert into api_keys as k (id, project_id, user_id, name, key_hash, scopes, created_at, expires_at)
    select $1, $2, $3, $4, $5, $6::jsonb, date_trunc('milliseconds', clock_timestamp()),
           clock_timestamp() + $7::float8 * interval '1 second'
        on conflict (id) do update
       set name = k.name
    returning ${API_KEY_COLUMNS}`,
});

export const deleteApiKey = statement({
  name: 'deleteApiKey',
  args: (project: string, id: string) => [project, id],
  row: z.strictObject({ id: z.string() }),
  sql: `
    delete from api_keys
     where id = $2
       and project_id = $1
    returning id`,
});

export const workerByKey = statement({
  name: 'workerByKey',
  args: (hash: string) => [hash],
  row: z.strictObject({ id: z.string(), name: z.string(), projectId: z.string() }),
  sql: `
    select id, name, project_id as "projectId"
      from workers
     where key_hash = $1`,
});

const joinTokenRow = z.strictObject({
  id: z.string(),
  projectId: z.string(),
  expiresAtMs: z.int(),
});

export const joinTokenByHash = statement({
  name: 'joinTokenByHash',
  args: (hash: string) => [hash],
  row: joinTokenRow,
  sql: `
    select id, project_id as "projectId", expires_at as "expiresAtMs"
      from join_tokens
     where token_hash = $1`,
});

export const joinTokenById = statement({
  name: 'joinTokenById',
  args: (project: string, id: string) => [project, id],
  row: joinTokenRow,
  sql: `
    select id, project_id as "projectId", expires_at as "expiresAtMs"
      from join_tokens
     where id = $2
       and project_id = $1`,
});

const sessionRow = z.strictObject({
  id: z.string(),
  userId: z.string(),
  userName: z.string(),
  projectId: z.string(),
  role: z.custom<ProjectRole>(),
});

export const useSession = statement({
  name: 'useSession',
  args: (hash: string) => [hash, SEEN_MINUTES],
  row: sessionRow,
  sql: `
    with seen as (
      update web_sessions
         set last_seen_at = clock_timestamp()
       where token_hash = $1
         and last_seen_at < clock_timestamp() - make_interval(mins => $2))
    select s.id, s.user_id as "userId", u.name as "userName", s.project_id as "projectId", m.role
      from web_sessions s
      join users u
        on u.id = s.user_id
      join memberships m
        on m.project_id = s.project_id
       and m.user_id = s.user_id
     where s.token_hash = $1
       and s.expires_at > clock_timestamp()`,
});

export const deleteSession = statement({
  name: 'deleteSession',
  args: (id: string) => [id],
  row: z.strictObject({ id: z.string() }),
  sql: `
    delete from web_sessions
     where id = $1
    returning id`,
});

export const insertLoginCode = statement({
  name: 'insertLoginCode',
  args: (owner: Owner, hash: string, ttlSeconds: number) => [
    hash,
    owner.projectId,
    owner.userId,
    ttlSeconds,
  ],
  row: z.strictObject({ expiresAtMs: z.int() }),
  sql: `
    insert into login_codes (code_hash, project_id, user_id, created_at, expires_at)
    select $1, $2, $3, clock_timestamp(), clock_timestamp() + $4::float8 * interval '1 second'
        on conflict (code_hash) do update
       set code_hash = excluded.code_hash
    returning expires_at as "expiresAtMs"`,
});

export const redeemCode = statement({
  name: 'redeemCode',
  args: (codeHash: string, session: { readonly id: string; readonly hash: string }) => [
    codeHash,
    session.id,
    session.hash,
    SESSION_DAYS,
  ],
  row: sessionRow,
  sql: `
    with code as (
      delete from login_codes
       where code_hash = $1
         and expires_at > clock_timestamp()
      returning project_id, user_id),
    session as (
      insert into web_sessions (id, token_hash, project_id, user_id, created_at, expires_at,
                                last_seen_at)
      select $2, $3, code.project_id, code.user_id, clock_timestamp(),
             clock_timestamp() + make_interval(days => $4), clock_timestamp()
        from code
      returning id, project_id, user_id)
    select s.id, s.user_id as "userId", u.name as "userName", s.project_id as "projectId", m.role
      from session s
      join users u
        on u.id = s.user_id
      join memberships m
        on m.project_id = s.project_id
       and m.user_id = s.user_id`,
});

export const ownerOf = statement({
  name: 'ownerOf',
  args: (project: string | undefined) => [project ?? null],
  row: z.strictObject({ projectId: z.string(), userId: z.string(), userName: z.string() }),
  sql: `
    select m.project_id as "projectId", m.user_id as "userId", u.name as "userName"
      from memberships m
      join projects p
        on p.id = m.project_id
      join users u
        on u.id = m.user_id
     where m.role = 'owner'
       and ($1::text is null or m.project_id = $1)
     order by p.created_at, p.id, m.created_at, m.user_id
     limit 1`,
});

export const insertOwner = statement({
  name: 'insertOwner',
  args: (owner: Owner & { readonly projectName: string }) => [
    owner.projectId,
    owner.projectName,
    owner.userId,
    owner.userName,
  ],
  row: z.strictObject({ projectId: z.string() }),
  sql: `
    with project as (
      insert into projects (id, name, created_at)
      values ($1, $2, clock_timestamp())
          on conflict do nothing
      returning id),
    person as (
      insert into users (id, name, created_at)
      select $3, $4, clock_timestamp()
        from project
      returning id)
    insert into memberships (project_id, user_id, role, created_at)
    select project.id, person.id, 'owner', clock_timestamp()
      from project
     cross join person
    returning project_id as "projectId"`,
});

/** Who there is. Single statements, each atomic by itself. Secrets come and go as sha256 only. */
export interface Identity {
  /** Undefined when unknown, expired or revoked. Notes that it was used. */
  findApiKey(hash: string): Promise<ApiKeyRecord | undefined>;
  /** Newest first, behind `after`. */
  listApiKeys(project: string, limit: number, after: PageKey | undefined): Promise<ApiKeyRecord[]>;
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
  /** Trades a code for a session of 30 days, once; undefined when unknown, used or expired. */
  redeemLoginCode(
    codeHash: string,
    session: { readonly id: string; readonly hash: string },
  ): Promise<SessionRecord | undefined>;
  /** An owner of a project, or of the oldest one; undefined before the first start. */
  findOwner(project?: string): Promise<Owner | undefined>;
  /** Makes project, user and their membership; nothing when the project's name is taken. */
  createOwner(owner: Owner & { readonly projectName: string }): Promise<void>;
}

/** The identity statements over a database. */
export function createIdentity(db: Asker): Identity {
  return {
    findApiKey: async (hash) => (await db.query(useApiKey, hash))[0],
    listApiKeys: (project, limit, after) => db.query(apiKeysPage, project, limit, after),
    createApiKey: async (key) => only(await db.query(insertApiKey, key)),
    revokeApiKey: async (project, id) => (await db.query(deleteApiKey, project, id)).length > 0,
    findWorkerByKey: async (hash) => (await db.query(workerByKey, hash))[0],
    findJoinToken: async (hash) => (await db.query(joinTokenByHash, hash))[0],
    findJoinTokenById: async (project, id) => (await db.query(joinTokenById, project, id))[0],
    findSession: async (hash) => (await db.query(useSession, hash))[0],
    endSession: async (id) => {
      await db.query(deleteSession, id);
    },
    createLoginCode: async (owner, hash, ttlSeconds) =>
      only(await db.query(insertLoginCode, owner, hash, ttlSeconds)),
    redeemLoginCode: async (codeHash, session) =>
      (await db.query(redeemCode, codeHash, session))[0],
    findOwner: async (project) => (await db.query(ownerOf, project))[0],
    createOwner: async (owner) => {
      await db.query(insertOwner, owner);
    },
  };
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement that always answers did not');
  return row;
}
