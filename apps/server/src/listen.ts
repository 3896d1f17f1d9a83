import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '@baton/contract';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * An HTTP server that listens. Slow senders are cut off: 10 s for the headers, 10 min for a whole
 * request, which an upload may need.
 * @throws {AppError} port_in_use, bad_config when the address is not of this machine
 */
export async function listen(
  address: { readonly host: string; readonly port: number },
  listener: Listener,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 600_000,
      connectionsCheckingInterval: 2_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
    },
    listener,
  );
  server.on('clientError', answerClientError);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number },
): Error {
  if (error.code === 'EADDRINUSE') {
    return new AppError(
      'port_in_use',
      `Port ${port} of ${host} is in use; is Baton running already? Choose another one with --port, or --port 0 for any free one.`,
      { cause: error, detail: { port } },
    );
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND' || error.code === 'EACCES') {
    return new AppError('bad_config', `Cannot listen on ${host}:${port}: ${error.message}.`, {
      cause: error,
    });
  }
  return error;
}

const parserAnswers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What the parser cannot read never becomes a request, and is answered here. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = parserAnswers[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({
    type: 'about:blank',
    title: status.slice(4),
    status: Number(status.slice(0, 3)),
    code: 'bad_request',
    detail: 'This is no HTTP request that can be read.',
    retry: false,
    facts: {},
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
