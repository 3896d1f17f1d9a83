import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, pino, stdSerializers, type Logger, type LoggerOptions } from 'pino';

/** Errors are written whole: without a serializer of its own, an `error` would be an empty object. */
function optionsOf(level: string): LoggerOptions {
  return { level, base: null, serializers: { error: stdSerializers.err } };
}

/** Structured lines to standard error, as long-lived programs write them for a supervisor to keep. */
export function stderrLog(level: string): Logger {
  return pino(optionsOf(level), destination({ fd: 2, sync: true }));
}

/** Structured lines at the end of a file that only its owner may read. */
export function fileLog(path: string, level: string): Logger {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return pino(optionsOf(level), destination({ dest: path, mode: 0o600, sync: true }));
}
