import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the connection is lost: the server has nothing of a batch, has a part of it, has all of it and
 * does what it will, or has answered and the answer is lost.
 */
export const CUT_PLACES = ['unsent', 'half sent', 'sent', 'answered'] as const;
/** See `CUT_PLACES`. */
export type CutPlace = (typeof CUT_PLACES)[number];

/** A relay in front of PostgreSQL that cuts connections on which a batch decided ahead is sent. */
export interface TrainCutter {
  /** Of the same database. */
  readonly url: string;
  readonly cuts: Readonly<Record<CutPlace, number>>;
  /** The next such batch is cut here; undefined: none. */
  cutNext(place: CutPlace | undefined): void;
  close(): Promise<void>;
}

/** The statement that only such batches have, as it is named on the wire. */
const trainWord = 'insertEventsAt';

/** Relays to the server of a URL. */
export async function startTrainCutter(serverUrl: string): Promise<TrainCutter> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-train-'));
  const file = '.s.PGSQL.5432';
  // A URL for sockets may leave its host out, which only the driver understands.
  const given = new URL(serverUrl.replace('@/', '@localhost/'));
  const socketFolder = given.searchParams.get('host');
  const cuts = { unsent: 0, 'half sent': 0, sent: 0, answered: 0 };
  const open = new Set<Socket>();
  let next: CutPlace | undefined;

  function relay(client: Socket): void {
    const server =
      socketFolder === null
        ? connect(Number(given.port || 5432), given.hostname)
        : connect(join(socketFolder, file));
    let isAnswerLost = false;
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    server.on('data', (data) => {
      if (isAnswerLost && data.includes('COMMIT')) client.destroy();
      else client.write(data);
    });
    client.on('data', (data: Buffer) => {
      const place = data.includes(trainWord) ? next : undefined;
      if (place === undefined) {
        server.write(data);
        return;
      }
      next = undefined;
      cuts[place] += 1;
      if (place === 'answered') isAnswerLost = true;
      if (place === 'half sent') server.write(data.subarray(0, data.length / 2));
      else if (place !== 'unsent') server.write(data);
      if (place === 'unsent') client.destroy();
      // What was written arrives, and is run, before the server sees that nobody is there any more.
      else if (place !== 'answered') server.end(() => client.destroy());
    });
  }
  const listener = createServer(relay);
  await new Promise<void>((resolve) => listener.listen(join(folder, file), resolve));
  return {
    url: `postgres://${given.username}:${given.password}@localhost${given.pathname}?host=${folder}`,
    cuts,
    cutNext(place) {
      next = place;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
