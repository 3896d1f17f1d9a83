import type { z } from 'zod';
import type { Permission } from '../access.ts';
import type { ErrorCode } from '../errors.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** What a route answers with: a JSON body, a stream of events, bytes, or nothing. */
export type ReplyKind = 'json' | 'sse' | 'bytes' | 'none' | 'html';

/**
 * One endpoint. Server, OpenAPI, SDK and CLI help are made from these.
 * `path` is below `/api/v1` unless `root`; parameters are written `{name}`.
 */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly root?: true;
  readonly area: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Bytes of the body at most; default `LIMITS.bodyBytesMax`. */
  readonly bodyBytesMax?: number;
  readonly reply: z.ZodType | null;
  readonly kind: ReplyKind;
  readonly status: number;
  /** Codes beyond those every route may answer with (bad_request, unauthenticated, forbidden, internal ...). */
  readonly errors: readonly ErrorCode[];
}

/** Keeps the exact types of a route's schemas. */
export function route<const R extends Route>(definition: R): R {
  return definition;
}
