import type { ROUTES, RouteName } from '@baton/contract';

type RouteOf<N extends RouteName> = (typeof ROUTES)[N];

/** What a schema takes. Written without zod's types, so that users of the SDK need not install it. */
type InputOf<S> = S extends { readonly _zod: { readonly input: infer I } } ? I : never;
type OutputOf<S> = S extends { readonly _zod: { readonly output: infer O } } ? O : never;

type Nothing = Record<never, never>;
type Part<N extends RouteName, K extends 'params' | 'query' | 'body'> =
  RouteOf<N> extends Readonly<Record<K, infer S>>
    ? Nothing extends InputOf<S>
      ? { readonly [P in K]?: InputOf<S> | undefined }
      : { readonly [P in K]: InputOf<S> }
    : Nothing;

/** Operations that answer with JSON or nothing: what `call` takes. */
export type CallName = {
  [N in RouteName]: RouteOf<N>['kind'] extends 'json' | 'none' ? N : never;
}[RouteName];

/** Operations that answer with bytes: what `download` takes. */
export type DownloadName = {
  [N in RouteName]: RouteOf<N>['kind'] extends 'bytes' ? N : never;
}[RouteName];

/** What every call may say besides its parameters. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default: one made for this call, so that its own retries are harmless. */
  readonly idempotencyKey?: string | undefined;
}

/** Path parameters, query and body of one operation, as the route table says. */
export type CallInput<N extends RouteName> = Part<N, 'params'> &
  Part<N, 'query'> &
  Part<N, 'body'> &
  CallOptions;

/** The input as an argument list: left out when nothing in it is required. */
export type CallArgs<N extends RouteName> =
  Nothing extends CallInput<N> ? [input?: CallInput<N>] : [input: CallInput<N>];

/** What one operation answers with; undefined where the answer has no body. */
export type CallReply<N extends RouteName> = RouteOf<N>['reply'] extends null
  ? undefined
  : OutputOf<RouteOf<N>['reply']>;

/** Body of one operation. */
export type CallBody<N extends RouteName> =
  RouteOf<N> extends Readonly<Record<'body', infer S>> ? InputOf<S> : never;

/** Query of one operation. */
export type CallQuery<N extends RouteName> =
  RouteOf<N> extends Readonly<Record<'query', infer S>> ? InputOf<S> : never;
