import type { Logger } from 'pino';

/** The logger every service is given; structured, to standard error. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
