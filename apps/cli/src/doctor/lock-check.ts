import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { Check, Finding } from './finding.ts';
import { parseJson } from '../parse-json.ts';

/** What the owner of a directory answers to whoever connects to its lock. */
const greeting = z.object({
  state: z.enum(['candidate', 'owner']),
  pid: z.int(),
  startedAt: z.string(),
});

const LOCK_NAME = /^lock-[0-9a-f]{16}\.sock$/;
const PATIENCE_MS = 3_000;

/** Who has the database of the data directory; only looked at, never taken. */
export const lockCheck: Check = {
  name: 'lock',
  async look({ config }): Promise<Finding> {
    const dir = join(config.dataDir, 'db');
    for (const path of lockPaths(dir)) {
      const said = await listen(path);
      if (said === undefined) continue;
      const owner = greeting.safeParse(parseJson(said));
      if (!owner.success) {
        return {
          level: 'warn',
          text: `${dir} is held by a process that does not answer`,
          fix: `Find it and end it: lsof ${path}`,
        };
      }
      const { pid, startedAt } = owner.data;
      return { level: 'ok', text: `held by process ${pid} since ${startedAt}` };
    }
    return { level: 'ok', text: 'free: no control plane runs on this data directory' };
  },
};

/** The locks lie in the directory itself; where its path is too long, in a place it names. */
function lockPaths(dir: string): readonly string[] {
  try {
    const [, elsewhere] = orEmpty(() => readFileSync(join(dir, 'lock.path'), 'utf8')).split('\n');
    const place = elsewhere === undefined || elsewhere === '' ? dir : elsewhere;
    return readdirSync(place)
      .filter((name) => LOCK_NAME.test(name))
      .map((name) => join(place, name));
  } catch {
    return [];
  }
}

/** What comes before the other end hangs up; undefined when nobody is there any more. */
function listen(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(text));
  });
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
