import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Where a connection is cut: the server never sees the COMMIT, or has it and cannot answer. */
export type CutPlace = 'before' | 'after';

/** A relay in front of PostgreSQL that cuts connections in the middle of COMMIT. */
export interface CommitCutter {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  /** How often it has cut at each place. */
  readonly cuts: Readonly<Record<CutPlace, number>>;
  /**
   * How many COMMITs pass between two cuts; 0 cuts no more. `instead` is called in place of the cut,
   * while the COMMIT, or its answer, is held back for good.
   */
  cutEvery(commits: number, instead?: () => void): void;
}

const commitWord = Buffer.from('commit\0');
/** Only batches that were decided ahead, and travel whole with their COMMIT, have this statement. */
const aheadWord = Buffer.from('insertEventsAt');

/**
 * Relays to the socket of a PostgreSQL server; ended with the test. `which`: all COMMITs, or those of
 * batches that were decided ahead.
 */
export async function startCommitCutter(
  target: string,
  which: 'all' | 'ahead' = 'all',
): Promise<CommitCutter> {
  const folder = mkdtempSync(join(tmpdir().length < 60 ? tmpdir() : '/tmp', 'baton-cut-'));
  const open = new Set<Socket>();
  const cuts = { before: 0, after: 0 };
  let every = 0;
  let seen = 0;
  let instead: (() => void) | undefined;

  const lose = (incoming: Socket): void => {
    if (instead === undefined) incoming.destroy();
    else instead();
  };
  const relay = (incoming: Socket): void => {
    const outgoing = connect(target);
    let isMute = false;
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    outgoing.on('data', (data) => {
      // The server has answered, so it has committed: only now is the connection lost.
      if (isMute && (which === 'all' || data.includes('COMMIT'))) lose(incoming);
      else incoming.write(data);
    });
    incoming.on('data', (data: Buffer) => {
      const isCommit = data.includes(which === 'all' ? commitWord : aheadWord);
      if (isCommit) seen += 1;
      if (!isCommit || every === 0 || seen % every !== 0) {
        outgoing.write(data);
      } else if (cuts.after > cuts.before) {
        cuts.before += 1;
        lose(incoming);
      } else {
        cuts.after += 1;
        isMute = true;
        outgoing.write(data);
      }
    });
  };
  const server = createServer(relay);
  await new Promise<void>((resolve) => server.listen(join(folder, '.s.PGSQL.5432'), resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    url: `postgres://postgres@localhost/postgres?host=${folder}`,
    cuts,
    cutEvery(commits, called) {
      every = commits;
      instead = called;
    },
  };
}
