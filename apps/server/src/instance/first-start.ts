import { DEFAULTS, ID_PREFIXES, SCOPES } from '@baton/contract';
import { newId } from '@baton/coordinator';
import type { Identity, Owner } from '@baton/store';
import { randomSecret } from '../tokens/random-secret.ts';
import { hashToken, newToken } from '../tokens/token.ts';

/** Who owns this installation, and the key that was made for them on the very first start. */
export interface FirstStart {
  readonly owner: Owner;
  readonly apiKey: string | undefined;
}

/**
 * Makes project, person and key where there are none; the key is told this once, and kept as a hash.
 * With `isKeyLost` the owner who is there gets one more.
 */
export async function ensureOwner(identity: Identity, isKeyLost = false): Promise<FirstStart> {
  const known = await identity.findOwner();
  if (known !== undefined) {
    return { owner: known, apiKey: isKeyLost ? await makeOwnerKey(identity, known) : undefined };
  }
  const owner = {
    projectId: newId(ID_PREFIXES.project),
    userId: newId(ID_PREFIXES.user),
    userName: 'owner',
  };
  await identity.createOwner({ ...owner, projectName: 'default' });
  // Another replica may have been first.
  const made = (await identity.findOwner()) ?? owner;
  if (made.userId !== owner.userId) return { owner: made, apiKey: undefined };
  return { owner, apiKey: await makeOwnerKey(identity, owner) };
}

async function makeOwnerKey(identity: Identity, owner: Owner): Promise<string> {
  const apiKey = newToken('api_key');
  await identity.createApiKey({
    id: newId(ID_PREFIXES.apiKey),
    project: owner.projectId,
    user: owner.userId,
    name: 'owner',
    hash: hashToken(apiKey),
    scopes: SCOPES,
    expiresInSeconds: null,
  });
  return apiKey;
}

/** The code of a one-time login link, valid for 15 minutes. */
export async function makeLoginCode(identity: Identity, owner: Owner): Promise<string> {
  const code = randomSecret();
  await identity.createLoginCode(owner, hashToken(code), DEFAULTS.loginCodeSeconds);
  return code;
}
