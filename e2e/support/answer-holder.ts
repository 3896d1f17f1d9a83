import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A relay in front of a control plane that can keep an answer from its client. */
export interface AnswerHolder {
  readonly url: string;
  /** Calls `instead` in place of telling the next answer that something was created. */
  holdNext(instead: () => void): void;
}

const created = Buffer.from('HTTP/1.1 201');

/** Relays to the address of a control plane; ended with the test. */
export async function startAnswerHolder(target: string): Promise<AnswerHolder> {
  const open = new Set<Socket>();
  const { port, hostname } = new URL(target);
  let instead: (() => void) | undefined;
  const server = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
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
    outgoing.on('data', (data) => {
      if (instead === undefined || !data.includes(created)) {
        incoming.write(data);
        return;
      }
      const call = instead;
      instead = undefined;
      incoming.destroy();
      call();
    });
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
    holdNext(call) {
      instead = call;
    },
  };
}
