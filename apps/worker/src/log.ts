import type { Logger } from 'pino';

/** The logger everything in the worker is given; structured, to standard error. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
