import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '@baton/contract';
import { expect, test } from 'vitest';
import type { App } from './app.ts';
import { hostList } from './edge/host-list.ts';
import { serveRoute } from './serve-route.ts';

test('a credential that is refused counts for the address that it came from', async () => {
  const taken: string[] = [];
  const limit = {
    take(key: string) {
      if (taken.length === 2) throw new AppError('rate_limited', 'too many');
      taken.push(key);
    },
  };
  const app = {
    hosts: hostList(80, undefined),
    keys: { name: 'x' },
    authenticator: { authenticate: () => Promise.reject(new AppError('unauthenticated', 'no')) },
  } as unknown as App;
  const headers = { host: 'localhost', authorization: 'Bearer bat_guess' };
  const guess = async (): Promise<number> => {
    const response = await serveRoute(
      app,
      limit,
      'me',
      () => Promise.reject(new Error('not reached')),
      {
        incoming: { headers, socket: { remoteAddress: '192.0.2.1' } } as unknown as IncomingMessage,
        outgoing: new EventEmitter() as ServerResponse,
        url: new URL('http://localhost/api/v1/me'),
        params: {},
      },
    );
    return response.status;
  };
  expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429]);
  expect(taken).toEqual(['address 192.0.2.1', 'address 192.0.2.1']);
});
