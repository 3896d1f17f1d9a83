import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabases, insertRows, SAMPLE_AT_MS, type OpenDatabase } from '@baton/testkit';
import { createIdentity, type Identity, type NewApiKey } from './identity.ts';
import { purgeExpired } from './maintenance.ts';
import { ensureMeta } from './meta.ts';

const owner = { projectId: 'prj_1', userId: 'usr_1', userName: 'owner' };
const key: NewApiKey = {
  id: 'key_1',
  project: 'prj_1',
  user: 'usr_1',
  name: 'ci',
  hash: 'hash of key_1',
  scopes: ['read', 'run'],
  expiresInSeconds: null,
};

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`identity on ${database.title}`, () => {
    let opened: OpenDatabase;
    let identity: Identity;
    const run = (sql: string): Promise<void> => opened.db.exclusive((admin) => admin.script(sql));
    beforeAll(async () => {
      opened = await database.open();
      identity = createIdentity(opened.db);
    });
    afterAll(() => opened?.close());
    beforeEach(async () => {
      await run('truncate projects, users, join_tokens, workers, meta cascade');
      await identity.createOwner({ ...owner, projectName: 'default' });
    });

    describe('the owner', () => {
      test('is found again', async () => {
        expect(await identity.findOwner()).toEqual(owner);
        expect(await identity.findOwner('prj_1')).toEqual(owner);
        expect(await identity.findOwner('prj_2')).toBeUndefined();
      });

      test('is made once, also when two first starts meet', async () => {
        const second = { projectId: 'prj_2', userId: 'usr_2', userName: 'other' };
        await identity.createOwner({ ...second, projectName: 'default' });
        expect(await identity.findOwner()).toEqual(owner);
        expect(await identity.findOwner('prj_2')).toBeUndefined();
      });
    });

    describe('an API key', () => {
      test('is found by its hash until it is revoked, and notes its use', async () => {
        const made = await identity.createApiKey(key);
        expect(made).toMatchObject({ id: 'key_1', scopes: ['read', 'run'], lastUsedAtMs: null });
        expect(await identity.findApiKey(key.hash)).toEqual(made);
        expect((await identity.findApiKey(key.hash))?.lastUsedAtMs).not.toBeNull();
        expect(await identity.findApiKey('other')).toBeUndefined();
        expect(await identity.revokeApiKey('prj_2', 'key_1')).toBe(false);
        expect(await identity.revokeApiKey('prj_1', 'key_1')).toBe(true);
        expect(await identity.findApiKey(key.hash)).toBeUndefined();
      });

      test('made again under its id stays what it was', async () => {
        const made = await identity.createApiKey(key);
        const again = await identity.createApiKey({ ...key, name: 'x', scopes: ['admin'] });
        expect(again).toEqual(made);
      });

      test('does not work any more once it has expired', async () => {
        await identity.createApiKey({ ...key, expiresInSeconds: 60 });
        expect(await identity.findApiKey(key.hash)).toBeDefined();
        await run(`update api_keys set expires_at = now() - interval '1 second'`);
        expect(await identity.findApiKey(key.hash)).toBeUndefined();
      });

      test('is listed in its project, newest first', async () => {
        await identity.createApiKey(key);
        await run(`update api_keys set created_at = '2026-01-01'`);
        await identity.createApiKey({ ...key, id: 'key_2', hash: 'two' });
        const all = await identity.listApiKeys('prj_1', 10, undefined);
        expect(all.map((it) => it.id)).toEqual(['key_2', 'key_1']);
        const [first] = all;
        const after = { atMs: first?.createdAtMs ?? 0, id: 'key_2' };
        expect((await identity.listApiKeys('prj_1', 10, after)).map((it) => it.id)).toEqual([
          'key_1',
        ]);
        expect(await identity.listApiKeys('prj_2', 10, undefined)).toEqual([]);
      });
    });

    describe('a login code', () => {
      const session = { id: 'ses_1', hash: 'hash of ses_1' };

      test('gives one session, once', async () => {
        const { expiresAtMs } = await identity.createLoginCode(owner, 'code', 900);
        expect(expiresAtMs).toBeGreaterThan(SAMPLE_AT_MS);
        const first = await identity.redeemLoginCode('code', session);
        expect(first).toEqual({ ...owner, id: 'ses_1', role: 'owner' });
        const second = await identity.redeemLoginCode('code', { id: 'ses_2', hash: 'two' });
        expect(second).toBeUndefined();
        expect(await identity.findSession(session.hash)).toEqual(first);
        await identity.endSession('ses_1');
        expect(await identity.findSession(session.hash)).toBeUndefined();
      });

      test('redeemed twice at the same time gives one session', async () => {
        await identity.createLoginCode(owner, 'code', 900);
        const all = await Promise.all(
          [1, 2, 3, 4].map((n) =>
            identity.redeemLoginCode('code', { id: `ses_${n}`, hash: `hash ${n}` }),
          ),
        );
        expect(all.filter((it) => it !== undefined).length).toBe(1);
      });

      test('gives nothing when it is unknown or too old', async () => {
        expect(await identity.redeemLoginCode('code', session)).toBeUndefined();
        await identity.createLoginCode(owner, 'code', -1);
        expect(await identity.redeemLoginCode('code', session)).toBeUndefined();
      });
    });

    test('a session that has ended is not found', async () => {
      await identity.createLoginCode(owner, 'code', 900);
      await identity.redeemLoginCode('code', { id: 'ses_1', hash: 'h' });
      await run(`update web_sessions set last_seen_at = 'epoch'`);
      expect(await identity.findSession('h')).toBeDefined();
      await run(`update web_sessions set expires_at = now() - interval '1 second'`);
      expect(await identity.findSession('h')).toBeUndefined();
    });

    test('workers and join tokens are found by the hash of their secret', async () => {
      await insertRows(opened.db, { workers: [{}], joinTokens: [{}] });
      const worker = { id: 'wrk_1', name: 'one', projectId: 'prj_1' };
      expect(await identity.findWorkerByKey('hash of wrk_1')).toEqual(worker);
      expect(await identity.findWorkerByKey('other')).toBeUndefined();
      const token = {
        id: 'jtk_1',
        projectId: 'prj_1',
        expiresAtMs: SAMPLE_AT_MS + 86_400_000,
      };
      expect(await identity.findJoinToken('hash of jtk_1')).toEqual(token);
      expect(await identity.findJoinTokenById('prj_1', 'jtk_1')).toEqual(token);
      expect(await identity.findJoinTokenById('prj_2', 'jtk_1')).toBeUndefined();
    });

    test('what is over is purged, the rest stays', async () => {
      await identity.createLoginCode(owner, 'old', -1);
      await identity.createLoginCode(owner, 'new', 900);
      await run(`
        insert into idempotency_keys (scope, key, request_sha256, reply, created_at)
        values ('s', 'old', '', '{}', now() - interval '8 days'), ('s', 'new', '', '{}', now())`);
      expect(await purgeExpired(opened.db)).toBe(2);
      expect(await purgeExpired(opened.db)).toBe(0);
      expect(await identity.redeemLoginCode('new', { id: 'ses_1', hash: 'h' })).toBeDefined();
    });

    test('a fact about this database is the one that was stored first', async () => {
      expect(await ensureMeta(opened.db, 'instance', { name: 'a' })).toEqual({ name: 'a' });
      expect(await ensureMeta(opened.db, 'instance', { name: 'b' })).toEqual({ name: 'a' });
    });
  });
}
