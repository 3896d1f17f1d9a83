import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, LIMITS, LINK_PATH, LINK_PROTOCOL } from '@baton/contract';
import type { CommittedEvent } from '@baton/coordinator';
import { WebSocketServer, type WebSocket } from 'ws';
import type { App } from '../app.ts';
import { findCredential } from '../auth/credential.ts';
import type { WorkerPrincipal } from '../auth/principal.ts';
import { checkHost } from '../edge/host-list.ts';
import { headersOf, problemFor } from '../serve-route.ts';
import { checkpointView } from '../views/checkpoint.ts';
import { serveConnection, type LinkConnection } from './link-connection.ts';
import { pushOf, type Addressee, type Push } from './pushes.ts';

/** Between two pings; a worker that misses two is gone. */
const pingMs = 20_000;
/** What a stop waits for frames that came before it. */
const settleMsMax = 3_000;

/** The door for workers: one open link each, everything told the moment it is committed. */
export interface LinkServer {
  /** Says goodbye to all, waits for what was sent before, closes. */
  stop(): Promise<void>;
}

/** Answers upgrades of `server` at `LINK_PATH` and refuses all others. */
export function startLinkServer(app: App, server: Server): LinkServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.frameBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(LINK_PROTOCOL) ? LINK_PROTOCOL : false),
  });
  /** Those that said hello, by worker; the newest daemon has it. */
  const links = new Map<string, LinkConnection>();
  const open = new Set<LinkConnection>();
  let stopping = false;

  const unsubscribes = [
    app.coordinator.onAssigned(({ worker, attempts }) => {
      const link = links.get(worker);
      // Without a link it is delivered at the next hello.
      link?.assign(attempts).catch((error: unknown) => {
        app.log.error({ err: error, worker }, 'an assignment was not sent; the link is cut');
        link.terminate();
      });
    }),
    app.coordinator.onCommitted((events) => {
      for (const event of events) void pushOne(event);
    }),
  ];

  server.on('upgrade', onUpgrade);

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    admit(app, request).then(
      (worker) => {
        sockets.handleUpgrade(request, socket, head, (opened) => serve(opened, worker));
      },
      (error: unknown) => void refuse(app, socket, error),
    );
  }

  function serve(socket: WebSocket, worker: WorkerPrincipal): void {
    const unwatch = watchPulse(socket);
    const unrevoke = app.revocations.onRevoked(worker.id, () =>
      connection.bye('this worker was removed', false),
    );
    const connection = serveConnection(app, socket, worker, {
      onHello(hello) {
        const before = links.get(worker.id);
        links.set(worker.id, hello);
        if (before !== undefined && before !== hello) {
          before.bye('a newer connection of this worker took over', false);
        }
      },
      onClosed(gone) {
        unwatch();
        unrevoke();
        open.delete(gone);
        if (links.get(worker.id) !== gone) return;
        links.delete(worker.id);
        app.coordinator.unparkWorker(worker.id);
        if (gone.incarnation !== undefined && !stopping)
          void tellGone(app, worker, gone.incarnation);
      },
    });
    open.add(connection);
  }

  /** Tells the worker concerned what was committed. */
  async function pushOne(event: CommittedEvent): Promise<void> {
    const push = pushOf(event);
    if (push === undefined) return;
    const link = find(links, push.to);
    if (link === undefined) return;
    try {
      await send(app, link, push);
    } catch (error) {
      app.log.error({ err: error, worker: link.worker.name }, 'news was not sent; the link is cut');
      link.terminate();
    }
  }

  return {
    async stop() {
      stopping = true;
      server.off('upgrade', onUpgrade);
      for (const unsubscribe of unsubscribes) unsubscribe();
      for (const link of open) app.coordinator.unparkWorker(link.worker.id);
      const late = new Promise<void>((resolve) => setTimeout(resolve, settleMsMax).unref());
      await Promise.race([Promise.all([...open].map((link) => link.settled())), late]);
      for (const link of open) link.bye('the control plane is stopping', true);
      await new Promise<void>((resolve) => setTimeout(resolve, 50));
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** Says that a daemon has hung up, so that its presence is known at once. */
async function tellGone(app: App, worker: WorkerPrincipal, incarnation: string): Promise<void> {
  const { id, project, name } = worker;
  try {
    await app.coordinator.submit(
      {
        type: 'worker.gone',
        project,
        actor: { kind: 'worker', id, name },
        worker: id,
        incarnation,
      },
      { connection: id },
    );
  } catch (error) {
    // Presence by time says the same a little later.
    if (!(error instanceof AppError)) app.log.error({ err: error, worker: name }, 'worker.gone');
  }
}

/** @throws {AppError} before the upgrade, so that nobody unknown gets a socket */
async function admit(app: App, request: IncomingMessage): Promise<WorkerPrincipal> {
  const header = headersOf(request);
  checkHost(app.hosts, header('host'));
  if (request.url?.split('?')[0] !== LINK_PATH) {
    throw new AppError('not_found', 'There is nothing to connect to under this address.');
  }
  // Workers are no web pages: whatever sends an Origin is a browser, and no browser belongs here.
  if (header('origin') !== undefined) {
    throw new AppError('foreign_origin', 'The worker link is not for web pages.');
  }
  if (!(header('sec-websocket-protocol') ?? '').split(/, */).includes(LINK_PROTOCOL)) {
    throw new AppError('bad_request', `Offer the subprotocol ${LINK_PROTOCOL}.`);
  }
  const credential = findCredential(header, '');
  if (credential === undefined) {
    throw new AppError('unauthenticated', 'Show the key of this worker.');
  }
  const principal = await app.authenticator.authenticate(credential);
  if (principal.kind === 'worker') return principal;
  throw new AppError('forbidden', 'Only the key of a worker opens this link.');
}

async function refuse(app: App, socket: Duplex, error: unknown): Promise<void> {
  const response = problemFor(app, error, 'link', 'link');
  const body = await response.text();
  const head = [
    `HTTP/1.1 ${response.status} Refused`,
    'connection: close',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function find(
  links: ReadonlyMap<string, LinkConnection>,
  to: Addressee,
): LinkConnection | undefined {
  switch (to.by) {
    case 'id':
      return links.get(to.worker);
    case 'name':
      return [...links.values()].find(
        ({ worker }) => worker.name === to.name && worker.project === to.project,
      );
    case 'attempt':
      return [...links.values()].find((link) => link.epochOf(to.attempt) !== undefined);
  }
}

async function send(app: App, link: LinkConnection, push: Push): Promise<void> {
  switch (push.kind) {
    case 'frame':
      link.send(push.frame);
      return;
    case 'assign': {
      const { attempt } = push;
      if (link.epochOf(attempt) !== undefined) return;
      // It may have got it by its hello, started it and ended it, before this was heard here.
      const read = await app.reads.findAttempt(attempt);
      if (read?.attempt.status === 'claimed') await link.assign([attempt]);
      return;
    }
    case 'removed': {
      const { id, project } = link.worker;
      // Another one may have joined under its name.
      if ((await app.reads.findWorker(project, id)) !== undefined) return;
      link.bye('this worker was removed', false);
      return;
    }
    case 'cancel': {
      const { attempt } = push;
      const epoch = link.epochOf(attempt) ?? (await app.reads.findAttempt(attempt))?.attempt.epoch;
      if (epoch === undefined) return;
      const { reason, graceSeconds, yields } = push;
      link.send({ type: 'cancel', attempt, epoch, reason, grace_seconds: graceSeconds, yields });
      return;
    }
    case 'decision': {
      const { attempt } = push;
      const [read] = (await app.reads.closedCheckpointsOfAttempts([attempt])).toSorted(
        (a, b) => (b.checkpoint.closedAtMs ?? 0) - (a.checkpoint.closedAtMs ?? 0),
      );
      if (read === undefined) return;
      link.send({ type: 'checkpoint_resolved', attempt, checkpoint: checkpointView(read) });
      return;
    }
  }
}

/** Pings; two without an answer end the connection. Answers the function that ends it. */
function watchPulse(socket: WebSocket): () => void {
  let missed = 0;
  socket.on('pong', () => {
    missed = 0;
  });
  const timer = setInterval(() => {
    if (missed >= 2) socket.terminate();
    missed += 1;
    socket.ping();
  }, pingMs);
  timer.unref();
  return () => clearInterval(timer);
}
