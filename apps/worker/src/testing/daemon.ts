/** A worker as a process of its own, for tests that kill it: `node daemon.ts <config as JSON>`. */
import { pino } from 'pino';
import { startWorker } from '../worker.ts';

const given = JSON.parse(process.argv[2] ?? '{}') as Parameters<typeof startWorker>[0]['config'];
// oxlint-disable-next-line node/no-process-env -- an entry point: this is what agents inherit
const config = { ...given, processEnv: { ...process.env } };
const worker = await startWorker({ config, log: pino({ level: 'warn' }, pino.destination(2)) });
process.stdout.write('ready\n');
process.once('SIGTERM', () => void worker.stop({ graceMs: 0 }).then(() => process.exit(0)));
