import type { App } from '../app.ts';
import { ROUTES, type RouteName } from '@baton/contract';
import { notFound } from '../resolve.ts';
import type { Principal } from './principal.ts';

/**
 * A worker speaks for itself and its attempts, an agent for its attempt: others do not exist for them.
 * Asked before the shape of the body, so that a stranger learns nothing of an attempt.
 * @throws {AppError} not_found
 */
export async function checkOwnership(
  app: Pick<App, 'reads'>,
  principal: Principal,
  name: RouteName,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const { path } = ROUTES[name];
  const id = params['id'] ?? '';
  if (principal.kind === 'worker' && path.startsWith('/workers/{id}') && name !== 'getWorker') {
    if (id !== principal.id) throw notFound('worker', id);
  }
  if (!path.startsWith('/attempts/{id}')) return;
  if (principal.kind === 'attempt' && id !== principal.id) throw notFound('attempt', id);
  if (principal.kind === 'worker') {
    const read = /^att_[0-9a-z]{26}$/.test(id) ? await app.reads.findAttempt(id) : undefined;
    const own =
      read?.attempt.workerId === principal.id && read.attempt.projectId === principal.project;
    if (!own) throw notFound('attempt', id);
  }
}
