import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMockApi } from './mock-api.ts';
import type { World } from './world.ts';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The policy that the control plane sends with the pages. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** A mock control plane with the built pages, under the real policy. */
export interface MockServer {
  readonly url: string;
  /** Cuts every connection and takes no new ones, until `recover`. */
  fail(): void;
  recover(): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback, or on the one given. */
export async function serveMock(world: World, port = 0): Promise<MockServer> {
  const api = createMockApi(world);
  let isDown = false;
  const server = createServer((request, response) => {
    if (isDown) {
      request.socket.destroy();
      return;
    }
    void api(request, response).then((handled) => handled || sendFile(request, response));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail() {
      isDown = true;
      server.closeAllConnections();
    },
    recover() {
      isDown = false;
    },
    close: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function sendFile(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://mock');
  const asked = join(DIST, pathname);
  const isFile = asked.startsWith(DIST) && existsSync(asked) && statSync(asked).isFile();
  const path = isFile ? asked : join(DIST, 'index.html');
  response.writeHead(200, {
    'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
  });
  response.end(readFileSync(path));
}
