import { createClient } from '@baton/sdk';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summarize, type Summary } from './stats.ts';

const batonBin = fileURLToPath(new URL('../../apps/cli/bin/baton.js', import.meta.url));

/**
 * The real binaries on the embedded database: from sending `POST /runs` to the first instruction of the
 * agent's process, which writes down the time. In ms.
 */
export async function measureAgentStart(samples: number): Promise<Summary> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-start-'));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BATON_')),
  );
  const up = spawn(
    process.execPath,
    [batonBin, 'up', '--json', '--port', '0', '--slots', '2', '--data-dir', join(dir, 'data')],
    { env, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  try {
    const line = await firstLine(up.stdout);
    const ready = JSON.parse(line) as { url: string; api_key: string };
    const client = createClient({ baseUrl: ready.url, token: ready.api_key });
    await until(async () =>
      (await client.call('listWorkers', {})).items.some((worker) => worker.status === 'online'),
    );
    const took: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const file = join(dir, `stamp-${sample}`);
      const startedMs = Date.now();
      const { run } = await client.call('createRun', {
        body: {
          goal: 'start',
          plan: { tasks: [{ key: 'stamp', kind: 'command', spec: `date +%s%N > ${file}` }] },
        },
      });
      await until(() => existsSync(file) && readFileSync(file, 'utf8').length > 10);
      took.push(Number(readFileSync(file, 'utf8').trim()) / 1e6 - startedMs);
      await until(
        async () =>
          (await client.call('getRun', { params: { id: run.id } })).status === 'completed',
      );
    }
    return summarize(took);
  } finally {
    up.kill('SIGTERM');
    await new Promise((resolve) => up.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (data: Buffer) => {
      text += data.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await isSo()) return;
    await sleep(15);
  }
  throw new Error('it took too long');
}
