import { AppError } from '@baton/contract';
import { findClientFile } from '../client-file.ts';
import type { Check } from './finding.ts';

const server: Check = {
  name: 'control plane',
  async look({ client, config }) {
    try {
      await client().call('livez');
    } catch (error) {
      return {
        level: 'warn',
        text: `${config.target.url} does not answer (${wordsOf(error)})`,
        fix: 'Start it: baton up. Or say where it is: --url or BATON_URL.',
      };
    }
    try {
      await client().call('readyz');
      return { level: 'ok', text: `${config.target.url} is ready` };
    } catch (error) {
      return {
        level: 'fail',
        text: `${config.target.url} is up but takes no commands: ${wordsOf(error)}`,
        fix: `Look at its log: ${config.dataDir}/logs/server.log`,
      };
    }
  },
};

const key: Check = {
  name: 'key',
  async look({ client, config }) {
    if (config.target.token === undefined) {
      return {
        level: 'warn',
        text: 'none is known',
        fix:
          findClientFile(config.dataDir) === undefined
            ? 'Start the control plane here (baton up), or give a key: BATON_API_KEY.'
            : `The one in ${config.dataDir}/client.json is for another address; give --api-key.`,
      };
    }
    try {
      const me = await client().keys.me();
      return { level: 'ok', text: `valid: ${me.name} may ${me.scopes.join(', ')}` };
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === 'unauthenticated';
      return isRefused
        ? {
            level: 'fail',
            text: 'the control plane does not know it (any more)',
            fix: 'Make another where you are logged in (baton key create) and set BATON_API_KEY.',
          }
        : { level: 'note', text: `not tried: ${wordsOf(error)}` };
    }
  },
};

const workers: Check = {
  name: 'workers',
  async look({ client }) {
    try {
      const { workers: counts, slots } = await client().workers.fleet();
      const online = (counts.online ?? 0) + (counts.busy ?? 0);
      return online > 0
        ? { level: 'ok', text: `${online} online, ${slots.free} of ${slots.total} slots free` }
        : {
            level: 'warn',
            text: 'none is online: nothing will run',
            fix: 'baton up starts one here; for another machine: baton worker token.',
          };
    } catch (error) {
      return { level: 'note', text: `not known: ${wordsOf(error)}` };
    }
  },
};

/** Checks that ask the control plane. */
export const SERVICE_CHECKS: readonly Check[] = [server, key, workers];

function wordsOf(error: unknown): string {
  return error instanceof AppError ? error.code.replaceAll('_', ' ') : String(error);
}
