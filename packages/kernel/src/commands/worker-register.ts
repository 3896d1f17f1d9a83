import type { CommandOf } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { JoinTokenRow, WorkerRow } from '../rows.ts';
import type { Handler } from './handler.ts';

/** A machine joins the fleet, or comes back under its name with its key or a token for that name. */
export const workerRegister: Handler<'worker.register'> = (draft, command) => {
  const { body } = command;
  const token = command.joinToken === null ? null : useToken(draft, command.joinToken, body.name);
  if (token !== null && 'refused' in token) return token;
  const [named] = draft.list('workerByName', `${draft.project}/${body.name}`);
  const own = command.ownWorker === null ? null : draft.own('workers', command.ownWorker);
  const known = named ?? own;
  const mayTake = named === undefined || named.id === own?.id || token?.name === body.name;
  if (!mayTake) {
    return refuse(
      'worker_exists',
      `There is a worker ${body.name} already. Register with its own key, or with a token made for ` +
        `that name (baton worker token --name ${body.name}); or choose another name.`,
      { worker: body.name },
    );
  }
  if (token !== null) draft.put('joinTokens', { ...token, uses: token.uses + 1 });
  const row = rowOf(draft, command, known, token);
  if (known === null) draft.create('workers', row);
  else draft.put('workers', row);
  draft.event(
    'worker.registered',
    { run: null },
    {
      name: row.name,
      labels: row.labels,
      slots: row.slots,
    },
  );
  return { worker: row.id };
};

function useToken(draft: Draft, id: string, name: string): JoinTokenRow | Refused {
  const token = draft.own('joinTokens', id);
  if (token === null || token.expiresAtMs <= draft.nowMs || token.uses >= token.maxUses) {
    return refuse(
      'join_token_invalid',
      'This join token is unknown, used up or expired; make a new one with baton worker token.',
    );
  }
  if (token.name === null || token.name === name) return token;
  return refuse('join_token_invalid', `This join token is for the worker ${token.name} only.`, {
    name: token.name,
  });
}

function rowOf(
  draft: Draft,
  { body, keyHash }: CommandOf<'worker.register'>,
  known: WorkerRow | null,
  token: JoinTokenRow | null,
): WorkerRow {
  return {
    id: known?.id ?? draft.newId('worker'),
    projectId: draft.project,
    name: body.name,
    machineId: body.machine_id ?? known?.machineId ?? null,
    labels: { ...body.labels, ...token?.labels },
    capabilities: body.capabilities,
    slots: body.slots,
    draining: known?.draining ?? false,
    leaving: false,
    ephemeral: body.ephemeral || token?.ephemeral === true,
    version: body.version ?? null,
    keyHash,
    incarnation: known?.incarnation ?? null,
    presence: known?.presence ?? 'offline',
    lastSeenAtMs: draft.nowMs,
    lastClaimAtMs: known?.lastClaimAtMs ?? null,
    warmRepos: known?.warmRepos ?? [],
    registeredAtMs: known?.registeredAtMs ?? draft.nowMs,
  };
}
