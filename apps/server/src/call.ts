import type { IncomingMessage } from 'node:http';
import type { ROUTES, RouteName } from '@baton/contract';
import type { IdempotencyRequest } from '@baton/coordinator';
import type { z } from 'zod';
import type { Principal } from './auth/principal.ts';

type RouteOf<N extends RouteName> = (typeof ROUTES)[N];

type Nothing = Readonly<Record<string, never>>;
type ParamsOf<N extends RouteName> =
  RouteOf<N> extends { readonly params: infer S extends z.ZodType } ? z.output<S> : Nothing;
type QueryOf<N extends RouteName> =
  RouteOf<N> extends { readonly query: infer S extends z.ZodType } ? z.output<S> : Nothing;
type BodyOf<N extends RouteName> =
  RouteOf<N> extends { readonly body: infer S extends z.ZodType } ? z.output<S> : undefined;
type PrincipalOf<N extends RouteName> = RouteOf<N>['permission'] extends 'public'
  ? Principal | null
  : Principal;

/** What a handler answers with: the reply of the route, nothing, or a response of its own making. */
export type AnswerOf<N extends RouteName> =
  | (RouteOf<N> extends { readonly reply: infer S extends z.ZodType } ? z.input<S> : undefined)
  | Response;

/** A request whose host, origin, credential, permission and shape have been checked. */
export interface Call<N extends RouteName = RouteName> {
  readonly route: N;
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
  readonly principal: PrincipalOf<N>;
  /** Project of the principal; empty for a public route without a credential. */
  readonly project: string;
  /** Set when the caller wants the same request to take effect once. */
  readonly idempotency: IdempotencyRequest | undefined;
  /** The bytes, for routes that take no JSON. */
  readonly incoming: IncomingMessage;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  readonly id: string;
  /** Scheme and host under which the caller reached this server. */
  readonly baseUrl: string;
  readonly wantsStream: boolean;
  readonly header: (name: string) => string | undefined;
}

export type Handler<N extends RouteName> = (call: Call<N>) => Promise<AnswerOf<N>>;

/** A handler for every route there is; one that is missing does not compile. */
export type Handlers = { readonly [N in RouteName]: Handler<N> };
