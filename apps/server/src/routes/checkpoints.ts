import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { byCount, mapPage, readPage } from '../paging.ts';
import { found, notFound, resolveId } from '../resolve.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { viaOf } from './via.ts';

type Names = 'listCheckpoints' | 'getCheckpoint' | 'resolveCheckpoint';

interface CheckpointCall {
  readonly params: { readonly id: string };
  readonly principal: Principal;
  readonly project: string;
}

/** Handlers of the area `checkpoints`. */
export function checkpointHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads } = app;

  async function viewOf(project: string, id: string) {
    return checkpointView(found(await reads.findCheckpoint(project, id), 'checkpoint', id));
  }

  /** The stored id. An agent sees the checkpoints of its own run alone. */
  async function idOf({ principal, project, params }: CheckpointCall): Promise<string> {
    const id = await resolveId(reads, 'checkpoints', project, params.id);
    if (principal.kind !== 'attempt') return id;
    const read = await reads.findCheckpoint(project, id);
    if (read?.checkpoint.runId !== principal.run) throw notFound('checkpoint', params.id);
    return id;
  }

  return {
    async listCheckpoints(call) {
      const { limit, cursor, status } = call.query;
      const { principal } = call;
      const run =
        principal.kind === 'attempt'
          ? principal.run
          : call.query.run === undefined
            ? undefined
            : await resolveId(reads, 'runs', call.project, call.query.run);
      const filter = { status, run };
      const page = await readPage(
        { limit, cursor, filter: ['checkpoints', call.project, filter] },
        byCount,
        async (count, after) => {
          const before = after?.before ?? 0;
          const rows = await reads.listCheckpoints(call.project, filter, count, before);
          return rows.map((row, place) => ({ row, before: before + place }));
        },
        ({ before }) => ({ before: before + 1 }),
      );
      return mapPage(page, ({ row }) => ({ ...checkpointView(row), holds_up: row.holdsUp }));
    },

    async getCheckpoint(call) {
      return viewOf(call.project, await idOf(call));
    },

    async resolveCheckpoint(call) {
      const id = await idOf(call);
      await coordinator.submit(
        {
          type: 'checkpoint.resolve',
          project: call.project,
          actor: actorOf(call.principal),
          checkpoint: id,
          body: call.body,
          via: viaOf(call.principal, call.body.via),
        },
        { idempotency: call.idempotency },
      );
      return viewOf(call.project, id);
    },
  };
}
