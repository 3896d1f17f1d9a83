import { isIP } from 'node:net';
import { AppError } from '@baton/contract';

/** Every address of this machine, which is no name to be reached by. */
const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Names under which this server is reached; everything else is refused before routing. */
export interface HostList {
  /** Exact `Host` headers. */
  readonly hosts: ReadonlySet<string>;
  /** Exact `Origin` headers of our own pages. */
  readonly origins: ReadonlySet<string>;
  /** `Host` of the public URL when that is https: cookies of it are `__Host-` ones. */
  readonly secureHost: string | undefined;
}

/**
 * Loopback names with the port, the public URL's host, and the address that is listened on where that is
 * one: a page of another site cannot make its own name be an address.
 */
export function hostList(port: number, publicUrl: string | undefined, address?: string): HostList {
  const own = address !== undefined && isIP(address) !== 0 && !wildcards.has(address);
  const names = ['127.0.0.1', 'localhost', '[::1]', ...(own ? [urlHost(address)] : [])];
  const hosts = new Set(names.flatMap((name) => (port === 80 ? [name] : [`${name}:${port}`])));
  const origins = new Set([...hosts].map((host) => `http://${host}`));
  if (publicUrl === undefined) return { hosts, origins, secureHost: undefined };
  const url = new URL(publicUrl);
  hosts.add(url.host);
  origins.add(url.origin);
  return { hosts, origins, secureHost: url.protocol === 'https:' ? url.host : undefined };
}

/**
 * Refuses a request that was sent to another name: a page of another site may reach this port by
 * pointing its own name here.
 * @throws {AppError} foreign_host
 */
export function checkHost(list: HostList, host: string | undefined): void {
  if (host !== undefined && list.hosts.has(host.toLowerCase())) return;
  throw new AppError(
    'foreign_host',
    `This server does not answer for the host ${printable(host)}; start it with --public-url to add a name.`,
  );
}

/** What a request says of the page that sent it. */
export interface Sender {
  readonly unsafe: boolean;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** The credential is a cookie, which browsers send by themselves. */
  readonly byCookie: boolean;
}

/**
 * Refuses what a page of another site sends. Origin is compared exactly; Fetch Metadata is a second
 * witness; a cookie alone, without either, proves nothing.
 * @throws {AppError} foreign_origin
 */
export function checkOrigin(list: HostList, sender: Sender): void {
  const { origin, fetchSite } = sender;
  const crossSite = fetchSite === 'cross-site' || fetchSite === 'same-site';
  if (!sender.unsafe && !crossSite) return;
  if (crossSite || (origin !== undefined && !list.origins.has(origin))) {
    throw new AppError(
      'foreign_origin',
      `Requests from ${printable(origin)} are refused; open the dashboard at this server's own address, or start the server with --public-url.`,
    );
  }
  if (sender.byCookie && origin === undefined && fetchSite === undefined) {
    throw new AppError(
      'foreign_origin',
      'A change with a session cookie must say which page sent it; use an API key outside a browser.',
    );
  }
}

function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function printable(text: string | undefined): string {
  return text === undefined ? 'an unnamed one' : JSON.stringify(text.slice(0, 200));
}
