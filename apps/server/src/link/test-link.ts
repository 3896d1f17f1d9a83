import { LINK_PATH, LINK_PROTOCOL, serverFrame, type ServerFrame } from '@baton/contract';
import { WebSocket } from 'ws';

type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

/** A worker's end of the link, as bare as it can be: for tests. */
export interface LinkClient {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(frame: object): void;
  hello(hello?: object): Promise<FrameOf<'welcome'>>;
  /** The next frame of a type that fits; those of other types stay for later. */
  next<T extends ServerFrame['type']>(
    type: T,
    fits?: (frame: FrameOf<T>) => boolean,
  ): Promise<FrameOf<T>>;
  /** Frames of a type that came and were not taken by `next`. */
  waiting(type: ServerFrame['type']): number;
}

export function openLinkClient(url: string, key: string, incarnation = 'daemon-1'): LinkClient {
  const socket = new WebSocket(url.replace('http', 'ws') + LINK_PATH, LINK_PROTOCOL, {
    headers: { authorization: `Bearer ${key}` },
  });
  const frames: ServerFrame[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    frames.push(serverFrame.parse(JSON.parse(data.toString())));
    for (const wake of [...waiting]) wake();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const client: LinkClient = {
    socket,
    closed,
    send: (frame) => socket.send(JSON.stringify(frame)),
    waiting: (type) => frames.filter((frame) => frame.type === type).length,
    async hello(hello = {}) {
      if (socket.readyState === WebSocket.CONNECTING) {
        await new Promise((resolve) => socket.once('open', resolve));
      }
      client.send({
        type: 'hello',
        incarnation,
        version: '0.1.0',
        slots: 4,
        labels: {},
        capabilities: { engines: ['shell', 'claude'] },
        draining: false,
        attempts: [],
        ...hello,
      });
      return client.next('welcome');
    },
    async next(type, fits = () => true) {
      for (;;) {
        const index = frames.findIndex(
          (frame) => frame.type === type && fits(frame as FrameOf<typeof type>),
        );
        if (index >= 0) return frames.splice(index, 1)[0] as FrameOf<typeof type>;
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () => reject(new Error(`no ${type}; got ${JSON.stringify(frames).slice(0, 500)}`)),
            60_000,
          );
          const wake = (): void => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
  };
  return client;
}
