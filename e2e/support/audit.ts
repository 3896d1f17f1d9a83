import type { Client } from '@baton/sdk';

/**
 * Holds the database of a control plane that runs against every rule. Rejects with what is broken;
 * resolves without looking when nobody answers any more, which is for other tests to judge.
 */
export async function auditTower(client: Client): Promise<void> {
  const answer = await client.call('checkDatabase').catch(() => undefined);
  if (answer === undefined || answer.ok) return;
  const lines = answer.checks.flatMap(({ id, count, faults }) =>
    faults.map(({ subject, found }) => `${id} (${count}): ${subject}: ${found}`),
  );
  throw new Error(`the auditor found what must not be:\n${lines.join('\n')}`);
}
