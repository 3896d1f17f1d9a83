import { randomBytes } from 'node:crypto';
import { AppError, DEFAULTS, ID_PREFIXES, type ApiKey, type Scope } from '@baton/contract';
import { newId } from '@baton/coordinator';
import { permissionsOf } from '../auth/principal.ts';
import { cookieName, sessionCookie } from '../auth/credential.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { rateLimit } from '../edge/rate-limit.ts';
import { byInstant, mapPage, readPage } from '../paging.ts';
import type { ApiKeyRecord } from '@baton/store';
import { notFound } from '../resolve.ts';
import { secretChars, formatToken, hashToken } from '../tokens/token.ts';
import { toBase62 } from '../tokens/base62.ts';
import { randomSecret } from '../tokens/random-secret.ts';
import { isoOf, isoOrNull } from '../views/instant.ts';
import { advertisedEngines, knownWorkers } from './known-workers.ts';

type Names =
  | 'login'
  | 'logout'
  | 'createLoginLink'
  | 'me'
  | 'listApiKeys'
  | 'createApiKey'
  | 'revokeApiKey'
  | 'listEngines';

/** The cookie goes when the session ends: 30 days after the login. */
const sessionSeconds = 30 * 24 * 3_600;

/** Guesses at login codes, all callers together: a code has 256 bits, this only spares the database. */
const loginsPerSecondMax = 20;

/** Handlers of the area `system`, but for health, and `catalogue`. */
export function systemHandlers(app: App): Pick<Handlers, Names> {
  const { identity, keys } = app;
  const logins = rateLimit(loginsPerSecondMax, () => performance.now());

  return {
    async login(call) {
      logins.take('all');
      const secret = randomSecret();
      const session = await identity.redeemLoginCode(hashToken(call.body.code), {
        id: newId(ID_PREFIXES.session),
        hash: hashToken(secret),
      });
      if (session === undefined) {
        throw new AppError(
          'login_code_invalid',
          'This login link was used or has expired; `baton login` prints a new one.',
        );
      }
      const name = cookieName(app.hosts, call.header('host'), keys.name);
      return jsonWithCookie(
        { user: session.userName, project: session.projectId },
        sessionCookie(name, secret, sessionSeconds),
      );
    },

    async logout(call) {
      const { principal } = call;
      const name = cookieName(app.hosts, call.header('host'), keys.name);
      if (principal.kind === 'user') {
        await identity.endSession(principal.session);
        app.revocations.revoke(principal.session);
      }
      return new Response(null, {
        status: 204,
        headers: { 'set-cookie': sessionCookie(name, '', 0), 'clear-site-data': '"cache"' },
      });
    },

    async createLoginLink(call) {
      const owner = await identity.findOwner(call.project);
      if (owner === undefined) throw notFound('owner of project', call.project);
      const { idempotency: once } = call;
      const code =
        once === undefined
          ? randomSecret()
          : toBase62(
              keys.derive('login code', once.scope, once.key, once.requestSha256),
              secretChars,
            );
      const made = await identity.createLoginCode(
        owner,
        hashToken(code),
        DEFAULTS.loginCodeSeconds,
      );
      return {
        login_url: `${app.url}/login#${code}`,
        expires_at: isoOf(made.expiresAtMs),
      };
    },

    async me({ principal }) {
      return {
        kind: principal.kind,
        id: principal.id,
        name: principal.name,
        project: principal.project,
        scopes: permissionsOf(principal),
        server_version: app.version,
      };
    },

    async listApiKeys(call) {
      const page = await readPage(
        { ...call.query, filter: ['keys', call.project] },
        byInstant,
        (count, after) => identity.listApiKeys(call.project, count, after),
        (key) => ({ atMs: key.createdAtMs, id: key.id }),
      );
      return mapPage(page, apiKeyView);
    },

    async createApiKey(call) {
      const { name, scopes, expires_in: expiresIn } = call.body;
      const own: readonly string[] = permissionsOf(call.principal);
      const beyond = scopes.find((scope) => !own.includes(scope));
      if (beyond !== undefined) {
        throw new AppError('forbidden', `A key may not have "${beyond}", which you do not have.`);
      }
      const { idempotency } = call;
      const parts = idempotency === undefined ? undefined : [idempotency.scope, idempotency.key];
      const id =
        parts === undefined ? newId(ID_PREFIXES.apiKey) : keys.deriveId('apiKey', ...parts);
      const secret =
        parts === undefined
          ? randomBytes(32)
          : keys.derive('api key', ...parts, idempotency?.requestSha256 ?? '');
      const key = formatToken('api_key', secret);
      const made = await identity.createApiKey({
        id,
        project: call.project,
        user: call.principal.kind === 'user' ? call.principal.id : null,
        name,
        hash: hashToken(key),
        scopes: uniqueScopes(scopes),
        expiresInSeconds: expiresIn ?? null,
      });
      // The id is derived from the Idempotency-Key, the secret also from the body.
      if (made.hash !== hashToken(key)) {
        throw new AppError(
          'idempotency_conflict',
          'This Idempotency-Key was used for another request; choose a new one.',
        );
      }
      return { ...apiKeyView(made), key };
    },

    async revokeApiKey(call) {
      if (!(await identity.revokeApiKey(call.project, call.params.id))) {
        throw notFound('API key', call.params.id);
      }
      app.revocations.revoke(call.params.id);
      return undefined;
    },

    async listEngines(call) {
      const advertised = advertisedEngines(await knownWorkers(app, call.project));
      const names = [...new Set([...app.engines, ...advertised])].toSorted();
      return {
        items: names.map((name) => ({
          name,
          built_in: app.engines.includes(name),
          workers: advertised.filter((it) => it === name).length,
        })),
      };
    },
  };
}

function apiKeyView(key: ApiKeyRecord): ApiKey {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    created_at: isoOf(key.createdAtMs),
    expires_at: isoOrNull(key.expiresAtMs),
    last_used_at: isoOrNull(key.lastUsedAtMs),
  };
}

function uniqueScopes(scopes: readonly Scope[]): Scope[] {
  return [...new Set(scopes)];
}

function jsonWithCookie(body: object, cookie: string): Response {
  return new Response(JSON.stringify(body), {
    headers: { 'content-type': 'application/json', 'set-cookie': cookie },
  });
}
