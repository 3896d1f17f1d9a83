import type { Fleet, Worker, WorkerToken } from '@baton/contract';
import type { CallBody, CallReply } from '../call-types.ts';
import type { Calls } from '../calls.ts';
import { eachItem, type Page } from '../paging.ts';

/** The machines of the fleet. `id` is an id, a name, or a prefix that fits only one. */
export interface WorkerCalls {
  list(): Promise<Page<Worker>>;
  each(itemsMax?: number): AsyncGenerator<Worker>;
  get(id: string): Promise<Worker>;
  remove(id: string): Promise<void>;
  drain(id: string, reason?: string): Promise<Worker>;
  undrain(id: string, reason?: string): Promise<Worker>;
  fleet(): Promise<Fleet>;
  engines(): Promise<CallReply<'listEngines'>>;
  createToken(body?: CallBody<'createWorkerToken'>): Promise<WorkerToken>;
  register(body: CallBody<'registerWorker'>): Promise<CallReply<'registerWorker'>>;
}

export function workerCalls(calls: Calls): WorkerCalls {
  return {
    list: () => calls.call('listWorkers'),
    each: (itemsMax) =>
      eachItem(
        (cursor) => calls.call('listWorkers', cursor === undefined ? {} : { query: { cursor } }),
        itemsMax,
      ),
    get: (id) => calls.call('getWorker', { params: { id } }),
    remove: (id) => calls.call('removeWorker', { params: { id } }),
    drain: (id, reason) =>
      calls.call('drainWorker', { params: { id }, body: reason === undefined ? {} : { reason } }),
    undrain: (id, reason) =>
      calls.call('undrainWorker', { params: { id }, body: reason === undefined ? {} : { reason } }),
    fleet: () => calls.call('getFleet'),
    engines: () => calls.call('listEngines'),
    createToken: (body = {}) => calls.call('createWorkerToken', { body }),
    register: (body) => calls.call('registerWorker', { body }),
  };
}
