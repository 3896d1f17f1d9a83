import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A TCP relay: the network between a worker and its control plane, which can be cut and mended, or the
 * one address of several control planes.
 */
export interface Relay {
  readonly url: string;
  /** New connections go there from now on, such as `http://127.0.0.1:4664`; those that are open stay. */
  to(target: string): void;
  /** Drops every connection and takes no new ones. */
  cut(): void;
  mend(): void;
}

/**
 * Relays to `target`, or nowhere before it is told where; ended with the test. An answer that `keeps` says
 * true to does not arrive: its connection is dropped.
 */
export async function startRelay(
  target?: string,
  keeps?: (answer: Buffer) => boolean,
): Promise<Relay> {
  const open = new Set<Socket>();
  let to = target === undefined ? undefined : new URL(target);
  let isCut = false;
  const server = createServer((incoming) => {
    if (isCut || to === undefined) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(Number(to.port), to.hostname);
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing);
    if (keeps === undefined) outgoing.pipe(incoming);
    else {
      outgoing.on('data', (data: Buffer) => {
        if (keeps(data)) incoming.destroy();
        else incoming.write(data);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    to(url) {
      to = new URL(url);
    },
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
  };
}
