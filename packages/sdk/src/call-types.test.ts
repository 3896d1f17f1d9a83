import { expect, expectTypeOf, test } from 'vitest';
import { createClient, type CallReply } from './index.ts';

test('types of calls come from the route table', () => {
  expectTypeOf<CallReply<'getRun'>['status']>().toEqualTypeOf<
    | 'planning'
    | 'running'
    | 'waiting'
    | 'paused'
    | 'cancelling'
    | 'completed'
    | 'failed'
    | 'cancelled'
  >();
  expectTypeOf<CallReply<'removeWorker'>>().toEqualTypeOf<undefined>();
  const client = createClient({ baseUrl: 'http://127.0.0.1:1' });
  const neverCalled = (): void => {
    // @ts-expect-error getRun needs an id
    void client.call('getRun');
    // @ts-expect-error bytes are downloaded
    void client.call('getTaskDiff', { params: { id: 'x' } });
    // @ts-expect-error no such option
    void client.call('createRun', { body: { gaol: 'x' } });
    void client.call('me');
  };
  expect(neverCalled).toBeTypeOf('function');
});
