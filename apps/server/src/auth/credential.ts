import { AppError } from '@baton/contract';
import type { HostList } from '../edge/host-list.ts';

/** What a request shows to say who sends it. */
export interface Credential {
  readonly text: string;
  readonly byCookie: boolean;
}

type HeaderOf = (name: string) => string | undefined;

/** Name of the session cookie at this host: bound to https where there is https. */
export function cookieName(hosts: HostList, host: string | undefined, instance: string): string {
  return isSecure(hosts, host) ? '__Host-baton' : `baton_${instance}`;
}

/** Whether the request came by the public https name. */
export function isSecure(hosts: HostList, host: string | undefined): boolean {
  return hosts.secureHost !== undefined && host?.toLowerCase() === hosts.secureHost;
}

/**
 * `Authorization: Bearer`, else `X-Api-Key`, else the session cookie; undefined when there is none.
 * @throws {AppError} unauthenticated when the Authorization header is of another kind
 */
export function findCredential(header: HeaderOf, cookie: string): Credential | undefined {
  const authorization = header('authorization');
  if (authorization !== undefined) {
    const bearer = /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (bearer === undefined) {
      throw new AppError('unauthenticated', 'Use the header Authorization: Bearer <key>.');
    }
    return { text: bearer, byCookie: false };
  }
  const key = header('x-api-key');
  if (key !== undefined) return { text: key.trim(), byCookie: false };
  const session = cookieValue(header('cookie') ?? '', cookie);
  return session === undefined ? undefined : { text: session, byCookie: true };
}

function cookieValue(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** The header that sets or, with an empty value, clears the session cookie. */
export function sessionCookie(name: string, value: string, maxAgeSeconds: number): string {
  const secure = name.startsWith('__Host-') ? '; Secure' : '';
  const age = value === '' ? 0 : maxAgeSeconds;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`;
}
