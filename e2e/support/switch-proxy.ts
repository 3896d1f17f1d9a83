import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** One address for several control planes, as a load balancer is one. */
export interface SwitchProxy {
  readonly url: string;
  /** New connections go there from now on, such as `http://127.0.0.1:4664`; those that are open stay. */
  to(target: string): void;
}

/** Leads nowhere at first; ended with the test. */
export async function startSwitchProxy(): Promise<SwitchProxy> {
  const open = new Set<Socket>();
  let target: URL | undefined;
  const server = createServer((incoming) => {
    if (target === undefined) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(Number(target.port), target.hostname);
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
    outgoing.pipe(incoming);
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
      target = new URL(url);
    },
  };
}
