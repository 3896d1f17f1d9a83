import { ROUTES, type RouteName, type Permission } from '@baton/contract';
import type { Principal } from './principal.ts';

/** Routes that read, which a worker may use for itself and its attempts, and an agent for its task. */
const workerReads: ReadonlySet<RouteName> = new Set(['me', 'getWorker', 'getAttempt']);
const attemptReads: ReadonlySet<RouteName> = new Set([
  'me',
  'getTask',
  'getAttempt',
  'listNotes',
  'listOutputs',
  'listChildren',
  'listAwaits',
  'waitTasks',
  'getTaskDiff',
  'listCheckpoints',
  'getCheckpoint',
]);

/** What an agent may do beside its attempt: make tasks below its own, answer what any may answer. */
const attemptWrites: ReadonlySet<RouteName> = new Set(['createTask', 'resolveCheckpoint']);

/** Of the routes for workers and agents, those that people read too. */
const peopleReads: ReadonlySet<RouteName> = new Set(['getArtifactContent']);

/**
 * Whether somebody may use a route at all. Whether the object is theirs is asked next; what is not
 * theirs does not exist for them.
 */
export function mayUse(principal: Principal | null, name: RouteName): boolean {
  const permission: Permission = ROUTES[name].permission;
  if (permission === 'public') return true;
  if (principal === null) return false;
  switch (principal.kind) {
    case 'user':
    case 'key':
      if (permission === 'worker') return false;
      if (permission === 'attempt') {
        return peopleReads.has(name) && principal.scopes.includes('read');
      }
      return principal.scopes.includes(permission);
    case 'worker':
      return permission === 'worker' || permission === 'attempt' || workerReads.has(name);
    case 'attempt':
      return permission === 'attempt' || attemptReads.has(name) || attemptWrites.has(name);
  }
}
