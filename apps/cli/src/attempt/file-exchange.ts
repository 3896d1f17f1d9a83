import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { pause } from '@baton/sdk';
import type { Exchange } from './supervisor-door.ts';

const LOOK_MS = 50;
/** The supervisor looks ten times a second; one that is silent for so long beyond the wait is gone. */
const SILENCE_MS_MAX = 30_000;

/**
 * Calls the attempt's supervisor by files, where a sandbox cuts every socket: the call is written into
 * `requests`, its answer appears under the same name in `answers`.
 */
export function fileExchange(requests: string, answers: string, signal: AbortSignal): Exchange {
  return async (method, path, body) => {
    const name = `${randomUUID()}.json`;
    const call = join(requests, name);
    const waitMs = 1_000 * Number(new URL(path, 'http://files').searchParams.get('wait') ?? 0);
    const untilMs = performance.now() + waitMs + SILENCE_MS_MAX;
    try {
      writeFileSync(`${call}.part`, JSON.stringify({ method, path, body }), { mode: 0o600 });
      renameSync(`${call}.part`, call);
      for (;;) {
        const answer = findAnswer(join(answers, name));
        if (answer !== undefined) return answer;
        if (performance.now() > untilMs) throw unreachable(requests);
        await pause(LOOK_MS, signal);
        signal.throwIfAborted();
      }
    } catch (error) {
      if (signal.aborted || error instanceof AppError) throw error;
      throw unreachable(requests, error);
    } finally {
      rmSync(call, { force: true });
    }
  };
}

function findAnswer(path: string): { status: number; body: unknown } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  return JSON.parse(text) as { status: number; body: unknown };
}

function unreachable(requests: string, cause?: unknown): AppError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new AppError(
    'control_plane_unreachable',
    `The supervisor of this attempt does not answer calls in ${requests}${why}; the attempt has probably ended, or this sandbox may not write there.`,
    { cause },
  );
}
