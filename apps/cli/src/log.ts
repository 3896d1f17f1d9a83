import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, pino, type Logger } from 'pino';

/** Structured lines to standard error, as long-lived programs write them for a supervisor to keep. */
export function stderrLog(level: string): Logger {
  return pino({ level, base: null }, destination({ fd: 2, sync: true }));
}

/** Structured lines at the end of a file that only its owner may read. */
export function fileLog(path: string, level: string): Logger {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return pino({ level, base: null }, destination({ dest: path, mode: 0o600, sync: true }));
}
