import { LOG_STREAMS, type LogStream } from './attempt.ts';

/**
 * A piece of log on the worker link, as bytes:
 *
 *     u8  kind (1 = log)      u8  stream (index in LOG_STREAMS)      u8  length of the attempt id
 *     f64 epoch               f64 offset                             id in ASCII, then the log's bytes
 *
 * Numbers are big-endian. Answered by a `log_ack` frame.
 */
export interface LogFrame {
  readonly attempt: string;
  readonly epoch: number;
  readonly stream: LogStream;
  readonly offset: number;
  readonly data: Uint8Array;
}

const headBytes = 19;
const logKind = 1;

/** Encodes a log frame; the id must be ASCII and under 256 characters. */
export function encodeLogFrame(frame: LogFrame): Uint8Array {
  const out = new Uint8Array(headBytes + frame.attempt.length + frame.data.length);
  const view = new DataView(out.buffer);
  view.setUint8(0, logKind);
  view.setUint8(1, LOG_STREAMS.indexOf(frame.stream));
  view.setUint8(2, frame.attempt.length);
  view.setFloat64(3, frame.epoch);
  view.setFloat64(11, frame.offset);
  for (let i = 0; i < frame.attempt.length; i++) out[headBytes + i] = frame.attempt.charCodeAt(i);
  out.set(frame.data, headBytes + frame.attempt.length);
  return out;
}

/** What an id is made of; other bytes, such as U+0000, could not even be looked up. */
const idBytes = /^[\w.-]+$/;

/** Decodes a log frame; undefined when the bytes are not one. The data is a view into `bytes`. */
export function decodeLogFrame(bytes: Uint8Array): LogFrame | undefined {
  if (bytes.length < headBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stream = LOG_STREAMS[view.getUint8(1)];
  const idLength = view.getUint8(2);
  if (view.getUint8(0) !== logKind || stream === undefined) return undefined;
  if (bytes.length < headBytes + idLength) return undefined;
  const epoch = view.getFloat64(3);
  const offset = view.getFloat64(11);
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(offset) || offset < 0) return undefined;
  const attempt = String.fromCharCode(...bytes.subarray(headBytes, headBytes + idLength));
  if (!idBytes.test(attempt)) return undefined;
  return { attempt, epoch, stream, offset, data: bytes.subarray(headBytes + idLength) };
}
