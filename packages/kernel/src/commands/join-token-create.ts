import type { Handler } from './handler.ts';

/** A token with which workers may join; only its hash is kept. */
export const joinTokenCreate: Handler<'joinToken.create'> = (draft, command) => {
  const { body } = command;
  draft.put('joinTokens', {
    id: command.id,
    projectId: draft.project,
    tokenHash: command.tokenHash,
    name: body.name ?? null,
    labels: body.labels,
    maxUses: body.max_uses,
    uses: 0,
    ephemeral: body.ephemeral,
    expiresAtMs: command.expiresAtMs,
    createdBy: draft.actor.name ?? draft.actor.id ?? draft.actor.kind,
  });
  return {};
};
