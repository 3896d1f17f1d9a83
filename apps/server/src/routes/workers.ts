import { AppError, DEFAULTS, ID_PREFIXES, type WorkerRegister } from '@baton/contract';
import { randomBytes } from 'node:crypto';
import { newId } from '@baton/coordinator';
import { actorOf } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Call, Handlers } from '../call.ts';
import { byName, mapPage, readPage } from '../paging.ts';
import { found, notFound, resolveId } from '../resolve.ts';
import { formatToken, hashToken, parseToken, withUrl } from '../tokens/token.ts';
import { isoOf } from '../views/instant.ts';
import { workerView } from '../views/worker.ts';
import { claimWork } from './claims.ts';
import { fleetOf } from './fleet.ts';

type Names =
  | 'createWorkerToken'
  | 'registerWorker'
  | 'listWorkers'
  | 'getWorker'
  | 'removeWorker'
  | 'drainWorker'
  | 'undrainWorker'
  | 'getFleet'
  | 'claimAttempts'
  | 'heartbeatWorker';

/** Handlers of the area `workers`. */
export function workerHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads, identity, keys } = app;

  /** By name first: names are what people write. A worker knows itself alone. */
  async function workerOf(call: Pick<Call<'getWorker'>, 'project' | 'params' | 'principal'>) {
    const { project, params, principal } = call;
    const named = await reads.findWorkerByName(project, params.id);
    const read =
      named ??
      (await reads.findWorker(project, await resolveId(reads, 'workers', project, params.id)));
    const worker = found(read, 'worker', params.id);
    if (principal.kind === 'worker' && principal.id !== worker.worker.id) {
      throw notFound('worker', params.id);
    }
    return worker;
  }

  async function setDraining(call: Call<'drainWorker' | 'undrainWorker'>, draining: boolean) {
    const { worker } = await workerOf(call);
    const { project } = call;
    const actor = actorOf(call.principal);
    await coordinator.submit(
      { type: 'worker.drain', project, actor, worker: worker.id, draining },
      { idempotency: call.idempotency },
    );
    const read = found(await reads.findWorker(project, worker.id), 'worker', call.params.id);
    return workerView(read, coordinator.nowMs());
  }

  return {
    async createWorkerToken(call) {
      const { project, idempotency } = call;
      // The same request again makes the same token: it is derived, never stored.
      const id =
        idempotency === undefined
          ? newId(ID_PREFIXES.joinToken)
          : keys.deriveId(
              'joinToken',
              idempotency.scope,
              idempotency.key,
              idempotency.requestSha256,
            );
      const token = formatToken('join_token', keys.derive('join token', id));
      const seconds = call.body.expires_in ?? DEFAULTS.joinTokenSeconds;
      await coordinator.submit(
        {
          type: 'joinToken.create',
          project,
          actor: actorOf(call.principal),
          body: call.body,
          id,
          tokenHash: hashToken(token),
          expiresAtMs: coordinator.nowMs() + seconds * 1_000,
        },
        { idempotency },
      );
      const stored = found(await identity.findJoinTokenById(project, id), 'join token', id);
      const whole = withUrl(token, app.url);
      return {
        id,
        token: whole,
        expires_at: isoOf(stored.expiresAtMs),
        install: `baton worker --token ${whole}`,
      };
    },

    async registerWorker(call) {
      const { token, ...body } = call.body;
      const joiner = await joinerOf(token);
      const name = { kind: 'worker', id: null, name: body.name } as const;
      const key = workerKey(call);
      const reply = await coordinator.submit(
        {
          type: 'worker.register',
          project: joiner.project,
          actor: name,
          body,
          joinToken: joiner.joinToken,
          ownWorker: joiner.ownWorker,
          keyHash: hashToken(key),
        },
        { idempotency: call.idempotency },
      );
      const id = reply.worker ?? '';
      const { worker } = found(await reads.findWorker(joiner.project, id), 'worker', body.name);
      return { id, key, name: worker.name, project: worker.projectId };
    },

    async listWorkers(call) {
      const page = await readPage(
        { ...call.query, filter: ['workers', call.project] },
        byName,
        (count, after) => reads.listWorkers(call.project, count, after?.name),
        ({ worker }) => ({ name: worker.name }),
      );
      return mapPage(page, (read) => workerView(read, coordinator.nowMs()));
    },

    async getWorker(call) {
      return workerView(await workerOf(call), coordinator.nowMs());
    },

    async removeWorker(call) {
      const { worker } = await workerOf(call);
      const actor = actorOf(call.principal);
      await coordinator.submit({
        type: 'worker.remove',
        project: call.project,
        actor,
        worker: worker.id,
      });
      app.revocations.revoke(worker.id);
      return undefined;
    },

    drainWorker: (call) => setDraining(call, true),
    undrainWorker: (call) => setDraining(call, false),

    getFleet: (call) => fleetOf(app, call.project),

    async claimAttempts(call) {
      const { principal } = call;
      if (principal.kind !== 'worker') throw notFound('worker', call.params.id);
      const items = await claimWork(app, {
        principal,
        max: call.body.max,
        waitSeconds: call.query.wait,
        signal: call.signal,
      });
      return { items };
    },

    async heartbeatWorker(call) {
      const reply = await coordinator.submit({
        type: 'worker.heartbeat',
        project: call.project,
        actor: actorOf(call.principal),
        worker: call.params.id,
        beat: call.body,
      });
      const stops = (reply.cancel ?? []).filter((it) => it.how !== 'hold');
      return {
        cancel: stops.map((it) => it.attempt),
        yields: stops.filter((it) => it.how === 'yield').map((it) => it.attempt),
        stale: [...(reply.stale ?? [])],
        lease_seconds: DEFAULTS.leaseSeconds,
      };
    },
  };

  interface Joiner {
    readonly project: string;
    readonly joinToken: string | null;
    readonly ownWorker: string | null;
  }

  /** A join token, or the key of the worker itself when it comes back. */
  async function joinerOf(token: WorkerRegister['token']): Promise<Joiner> {
    const form = parseToken(token);
    if (form?.kind === 'join_token') {
      const known = await identity.findJoinToken(form.hash);
      if (known !== undefined) {
        return { project: known.projectId, joinToken: known.id, ownWorker: null };
      }
    }
    if (form?.kind === 'worker_key') {
      const worker = await identity.findWorkerByKey(form.hash);
      if (worker !== undefined) {
        return { project: worker.projectId, joinToken: null, ownWorker: worker.id };
      }
    }
    throw new AppError(
      'join_token_invalid',
      'This join token is unknown, expired or used up; make a new one with `baton worker token`.',
    );
  }

  /** A worker that shows its own key keeps it; a repeated request is given the same key again. */
  function workerKey(call: Call<'registerWorker'>): string {
    const { token } = call.body;
    if (parseToken(token)?.kind === 'worker_key') return token;
    const { idempotency } = call;
    if (idempotency === undefined) return formatToken('worker_key', randomBytes(32));
    const { scope, key, requestSha256 } = idempotency;
    return formatToken('worker_key', keys.derive('worker key', scope, key, requestSha256));
  }
}
