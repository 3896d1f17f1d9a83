import { AppError, ROUTES, type Artifact, type Route } from '@baton/contract';
import type { CallArgs, CallName, CallOptions, CallReply, DownloadName } from './call-types.ts';
import type { Transport } from './transport.ts';

/** The operations of the route table, typed by it. */
export interface Calls {
  /**
   * One operation by name; its parameters, query and body are those of the route table.
   * @throws AppError with the server's code, or `control_plane_unreachable`.
   */
  call<N extends CallName>(name: N, ...args: CallArgs<N>): Promise<CallReply<N>>;
  /** Bytes of an operation, not read yet: the caller reads or cancels the body. */
  download(name: DownloadName, id: string, options?: CallOptions): Promise<Response>;
  /** Sends the content of an announced artifact. */
  upload(id: string, content: Uint8Array<ArrayBuffer>, options?: CallOptions): Promise<Artifact>;
}

/** Calls over a transport. */
export function createCalls(transport: Transport): Calls {
  return {
    async call(name, ...args) {
      const response = await transport.send(name, args[0] ?? {});
      const route: Route = ROUTES[name];
      if (route.kind === 'none') {
        await response.body?.cancel();
        return undefined as CallReply<typeof name>;
      }
      return (await readJson(response, transport.baseUrl)) as CallReply<typeof name>;
    },
    download(name, id, options = {}) {
      return transport.send(name, { ...options, params: { id }, headers: { accept: '*/*' } });
    },
    async upload(id, content, options = {}) {
      const end = content.byteLength - 1;
      const response = await transport.send('putUpload', {
        ...options,
        params: { id },
        body: content,
        headers: {
          'content-type': 'application/octet-stream',
          ...(end < 0 ? {} : { 'content-range': `bytes 0-${end}/${content.byteLength}` }),
        },
      });
      return (await readJson(response, transport.baseUrl)) as Artifact;
    },
  };
}

/** A success that is not JSON comes from something else: a proxy's page, another program's port. */
async function readJson(response: Response, baseUrl: string): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError(
      'control_plane_unreachable',
      `${baseUrl} answered, but not with JSON: is that the address of a Baton control plane?`,
      { cause: error },
    );
  }
}
