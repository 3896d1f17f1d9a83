/**
 * What a caller must be allowed to do for a route. `worker` and `attempt` are for worker keys and
 * attempt tokens alone; `public` routes need no credential.
 */
export const PERMISSIONS = [
  'public',
  'read',
  'run',
  'operate',
  'approve',
  'admin',
  'worker',
  'attempt',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What an API key may be granted. */
export const SCOPES = ['read', 'run', 'operate', 'approve', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What each role of a project may do. */
export const ROLE_SCOPES = {
  owner: ['read', 'run', 'operate', 'approve', 'admin'],
  admin: ['read', 'run', 'operate', 'approve', 'admin'],
  operator: ['read', 'run', 'operate', 'approve'],
  viewer: ['read'],
} as const satisfies Record<string, readonly Scope[]>;
export type ProjectRole = keyof typeof ROLE_SCOPES;

/** First letters of each kind of token: typed, so that a leaked one is recognised. */
export const TOKEN_PREFIXES = {
  api_key: 'bat',
  worker_key: 'batw',
  join_token: 'batj',
  attempt_token: 'bata',
} as const;
export type TokenKind = keyof typeof TOKEN_PREFIXES;
