import { AppError, holdsSlot, ROLE_SCOPES } from '@baton/contract';
import type { Identity, Reads } from '@baton/store';
import type { InstanceKeys } from '../tokens/instance-keys.ts';
import { hashToken, parseToken } from '../tokens/token.ts';
import type { Credential } from './credential.ts';
import type { Principal } from './principal.ts';

/** Finds out who shows a credential. */
export interface Authenticator {
  /** @throws {AppError} unauthenticated, the same for whatever is wrong with it */
  authenticate(credential: Credential): Promise<Principal>;
}

interface Parts {
  readonly identity: Identity;
  readonly reads: Pick<Reads, 'findAttempt'>;
  readonly keys: InstanceKeys;
}

export function createAuthenticator({ identity, reads, keys }: Parts): Authenticator {
  async function ofSession(text: string): Promise<Principal | undefined> {
    if (!/^[0-9A-Za-z]{43}$/.test(text)) return undefined;
    const session = await identity.findSession(hashToken(text));
    if (session === undefined) return undefined;
    return {
      kind: 'user',
      id: session.userId,
      name: session.userName,
      project: session.projectId,
      scopes: ROLE_SCOPES[session.role],
      session: session.id,
    };
  }

  async function ofAttempt(text: string): Promise<Principal | undefined> {
    const id = keys.attemptOf(text);
    const read = id === undefined ? undefined : await reads.findAttempt(id);
    if (read === undefined) return undefined;
    const { attempt, taskKey } = read;
    if (!holdsSlot(attempt.status)) return undefined;
    if (!keys.isAttemptToken(text, attempt.id, attempt.epoch)) return undefined;
    return {
      kind: 'attempt',
      id: attempt.id,
      name: `attempt ${attempt.number} of ${taskKey}`,
      project: attempt.projectId,
      task: attempt.taskId,
      run: attempt.runId,
      worker: attempt.workerId,
      epoch: attempt.epoch,
    };
  }

  async function ofToken(text: string): Promise<Principal | undefined> {
    const form = parseToken(text);
    switch (form?.kind) {
      case 'api_key': {
        const key = await identity.findApiKey(form.hash);
        return key === undefined
          ? undefined
          : { kind: 'key', id: key.id, name: key.name, project: key.projectId, scopes: key.scopes };
      }
      case 'worker_key': {
        const worker = await identity.findWorkerByKey(form.hash);
        return worker === undefined
          ? undefined
          : { kind: 'worker', id: worker.id, name: worker.name, project: worker.projectId };
      }
      case 'attempt_token':
        return ofAttempt(text);
      // A join token registers a worker and does nothing else: it is no credential of a request.
      case 'join_token':
      case undefined:
        return undefined;
    }
  }

  return {
    async authenticate({ text, byCookie }) {
      const principal = await (byCookie ? ofSession(text) : ofToken(text));
      if (principal !== undefined) return principal;
      throw new AppError(
        'unauthenticated',
        byCookie
          ? 'This session has ended; open a new login link, printed by `baton login`.'
          : 'This key is not valid here; it may be mistyped, expired or revoked.',
      );
    },
  };
}
