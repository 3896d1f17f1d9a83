import type { Actor, Permission, Scope } from '@baton/contract';

interface Base {
  readonly id: string;
  readonly name: string;
  /** The only project it may see. */
  readonly project: string;
}

/** A person in a browser. */
export interface UserPrincipal extends Base {
  readonly kind: 'user';
  readonly scopes: readonly Scope[];
  readonly session: string;
}

/** A program with an API key. */
export interface KeyPrincipal extends Base {
  readonly kind: 'key';
  readonly scopes: readonly Scope[];
}

export interface WorkerPrincipal extends Base {
  readonly kind: 'worker';
}

/** An agent, while its attempt is open or being stopped. */
export interface AttemptPrincipal extends Base {
  readonly kind: 'attempt';
  readonly task: string;
  readonly run: string;
  readonly worker: string;
  readonly epoch: number;
}

/** Who is asking. */
export type Principal = UserPrincipal | KeyPrincipal | WorkerPrincipal | AttemptPrincipal;

/** How events name them. */
export function actorOf(principal: Principal): Actor {
  const kind = principal.kind === 'attempt' ? 'agent' : principal.kind;
  return { kind, id: principal.id, name: principal.name };
}

/** What they may do, as a list for `GET /me`. */
export function permissionsOf(principal: Principal): Permission[] {
  switch (principal.kind) {
    case 'user':
    case 'key':
      return [...principal.scopes];
    case 'worker':
      return ['worker', 'attempt'];
    case 'attempt':
      return ['attempt'];
  }
}
