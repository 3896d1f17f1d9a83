import { workerFrame, type WorkerFrame } from '@baton/contract';
import type { RawData } from 'ws';
import { z } from 'zod';
import { parseJson } from '../edge/json-guard.ts';

const numbered = z.object({ seq: z.int().positive() });

/** A message of a socket as one piece of bytes. */
export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** The number of a frame that cannot be taken, where at least that can be read. */
export function seqOf(bytes: Buffer): number | undefined {
  try {
    return numbered.parse(JSON.parse(bytes.toString())).seq;
  } catch {
    return undefined;
  }
}

/** The frame of a worker; undefined when it is none. */
export function parseFrame(bytes: Buffer): WorkerFrame | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes, false);
  } catch {
    return undefined;
  }
  const parsed = workerFrame.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
