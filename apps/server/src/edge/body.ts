import type { IncomingMessage } from 'node:http';
import { AppError } from '@baton/contract';

/** A body that is read whole into memory arrives within this time. */
const bodyMsMax = 30_000;

/**
 * Reads a whole body, at most `bytesMax`. A declared length beyond it is refused before a byte is read.
 * @throws {AppError} body_too_large, bad_request when the sender stops in the middle
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  // Who sends a byte now and then holds a connection and memory for nothing.
  const late = setTimeout(() => request.destroy(new Error('the body took too long')), bodyMsMax);
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) throw tooLarge(bytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('bad_request', 'The body ended in the middle.', { cause: error });
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks, size);
}

/** @throws {AppError} unsupported_media_type unless the body says that it is JSON. */
export function checkJsonType(contentType: string | undefined): void {
  const [type = ''] = (contentType ?? '').toLowerCase().split(';');
  if (type.trim() === 'application/json') return;
  throw new AppError(
    'unsupported_media_type',
    'Send the body as JSON, with the header content-type: application/json.',
  );
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('body_too_large', `The body is larger than ${bytesMax} bytes.`, {
    detail: { bytes_max: bytesMax },
  });
}
