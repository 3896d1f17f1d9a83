import { AppError } from '@baton/contract';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';

/** Health, for whoever watches over this process. */
export function healthHandlers(app: App): Pick<Handlers, 'healthz' | 'livez' | 'readyz'> {
  return {
    healthz: async () => ({ status: 'ok' }),
    livez: async () => ({ status: 'ok' }),
    async readyz() {
      if (app.stopping.aborted) throw new AppError('draining', 'The control plane is stopping.');
      try {
        await app.probe();
      } catch (error) {
        throw new AppError('store_unavailable', 'The database takes no writes now.', {
          cause: error,
        });
      }
      return { status: 'ok' };
    },
  };
}
