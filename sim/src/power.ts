import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST = 'packages/coordinator/src/power-loss.test.ts';
/** Power cuts that a minute has room for. */
const cutsPerMinute = 15;
const cutsMin = 8;

/**
 * Cuts the power of the embedded database again and again: what its disk then has is put together from a
 * record of every write and sync. Answers whether nothing was lost that was acknowledged.
 */
export function cutPower(
  minutes: number,
  env: NodeJS.ProcessEnv,
  tell: (text: string) => void,
): Promise<boolean> {
  const cuts = Math.max(cutsMin, Math.round(minutes * cutsPerMinute));
  tell(`cutting the power ${cuts} times`);
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const child = spawn(process.execPath, [vitest, 'run', TEST, '--testTimeout=0'], {
    cwd: root,
    env: { ...env, BATON_POWER_CUTS: String(cuts) },
    stdio: 'inherit',
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}
