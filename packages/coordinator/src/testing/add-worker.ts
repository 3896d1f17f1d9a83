import { capabilities } from '@baton/contract';
import { randomUUID } from 'node:crypto';
import type { Coordinator } from '../coordinator.ts';

const can = capabilities.parse({ engines: [{ name: 'shell', auth: 'ok' }] });

/** Joins a worker with the engine `shell` to a project and opens its link. Answers its id. */
export async function addWorker(
  it: Coordinator,
  project: string,
  name: string,
  slots: number,
): Promise<string> {
  const base = { project, actor: { kind: 'user', id: 'usr_1', name: 'tester' } } as const;
  const id = `jtk_${randomUUID()}`;
  await it.submit({
    ...base,
    type: 'joinToken.create',
    id,
    tokenHash: randomUUID(),
    expiresAtMs: it.nowMs() + 60_000,
    body: { labels: {}, max_uses: 1, ephemeral: false },
  });
  const { worker = '' } = await it.submit({
    ...base,
    type: 'worker.register',
    joinToken: id,
    ownWorker: null,
    keyHash: randomUUID(),
    body: { name, slots, labels: {}, capabilities: can, ephemeral: false },
  });
  await it.submit({
    project,
    actor: { kind: 'worker', id: worker, name },
    type: 'worker.hello',
    worker,
    hello: {
      type: 'hello',
      incarnation: randomUUID(),
      version: 'test',
      slots,
      labels: {},
      capabilities: can,
      draining: false,
      attempts: [],
    },
  });
  return worker;
}
