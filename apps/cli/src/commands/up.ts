import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { createClient, type Client } from '@baton/sdk';
import { findClientFile } from '../client-file.ts';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { runDemo } from '../demo/run-demo.ts';
import { flag, text } from '../option.ts';
import {
  openControlPlane,
  readyLine,
  serverLogPath,
  serverOptions,
} from '../roles/control-plane.ts';
import { startLocalWorker, type LocalWorker } from '../roles/local-worker.ts';
import { pathLine } from '../roles/program-path.ts';
import type { ServerRole } from '../roles/server.ts';
import { paint, show, stack } from '../terminal/shown.ts';
import { VERSION } from '../version.ts';

const WORKER_NAME = 'local';

export const up = command({
  name: ['up'],
  summary: 'run everything on this machine until Ctrl-C: control plane, database, a worker',
  details: [
    'On the first start of a data directory it also runs the demo (`baton demo` repeats it).',
    'At Ctrl-C no new work is taken; agents have 10 s to finish, then they are parked and go on at the',
    'next start. A second Ctrl-C ends it at once.',
  ].join(' '),
  examples: ['baton up', 'baton up --port 0 --json --data-dir /tmp/try'],
  options: {
    ...serverOptions,
    slots: text(
      '--slots <number>',
      'tasks at the same time (BATON_SLOTS); default: half the cores',
    ),
    noWorker: flag('--no-worker', 'without a worker'),
    demo: flag('--demo', 'with the demo, whatever start it is'),
    noDemo: flag('--no-demo', 'without the demo on the first start'),
  },
  async run(context, _, options) {
    context.activity.say('starting the control plane');
    const server = await openControlPlane(context, options, 'file');
    const worker = options.noWorker ? undefined : await openWorker(context, server);
    context.activity.stop();
    if (context.isJson) context.out.json(readyLine(server));
    else context.out.line(greeting(context, server));
    const isFirst = server.apiKey !== undefined;
    const wantsDemo = options.demo || (isFirst && !options.noDemo && !context.isJson);
    const shown = wantsDemo && worker !== undefined ? demo(context, server) : Promise.resolve();
    await Promise.all([shown, ended(context.signal)]);
    await stop(context, server, worker);
    return undefined;
  },
});

function greeting(context: Context, server: ServerRole) {
  const path = pathLine(context.config.path);
  return stack(
    show`${paint.bold('Baton is up')} at ${paint.bold(server.url)}`,
    show`  dashboard  ${server.loginUrl} ${paint.dim('(this login link works once; baton login makes another)')}`,
    show`  data       ${context.config.dataDir} ${paint.dim(`(log: ${serverLogPath(context.config.dataDir)})`)}`,
    show`  to stop    Ctrl-C`,
    path !== undefined && show`  on PATH    ${path}`,
  );
}

async function openWorker(context: Context, server: ServerRole): Promise<LocalWorker> {
  const { config, env, err } = context;
  const logPath = join(config.dataDir, 'logs', 'worker.log');
  try {
    return await startLocalWorker({
      client: ownClient(context, server),
      url: server.localUrl,
      dataDir: config.dataDir,
      name: WORKER_NAME,
      slots: config.slots,
      env,
      logPath,
      onRestart: (why, inMs) =>
        err.line(
          show`${paint.yellow('worker ended')} (${why}); again in ${Math.ceil(inMs / 1_000)}s. Its log: ${logPath}`,
        ),
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The client of the control plane that was just started, whatever other address is configured. */
function ownClient({ config }: Context, server: ServerRole): Client {
  const token = server.apiKey ?? findClientFile(config.dataDir)?.key;
  if (token === undefined) {
    throw new AppError(
      'unauthenticated',
      `The owner's key of ${config.dataDir} is not in its client.json any more. Put it back, or start with --no-worker and log in with the link.`,
    );
  }
  return createClient({ baseUrl: server.localUrl, token, agent: `baton/${VERSION}` });
}

async function demo(context: Context, server: ServerRole): Promise<void> {
  try {
    const own = { ...context, client: () => ownClient(context, server) };
    await runDemo({
      ...own,
      config: { ...context.config, target: { url: server.localUrl, token: undefined } },
    });
    if (!context.isJson && !context.signal.aborted) {
      context.out.line(stack(show``, greeting(context, server)));
    }
  } catch (error) {
    if (context.signal.aborted) return;
    // The control plane stays up: what the demo lacked can be looked at and tried again.
    const why = error instanceof Error ? error.message : String(error);
    context.err.line(
      show`${paint.red('the demo did not get through')}: ${why} Try again: baton demo`,
    );
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

/** No new work, a line per running task, then worker and control plane in this order. */
async function stop(
  context: Context,
  server: ServerRole,
  worker: LocalWorker | undefined,
): Promise<void> {
  const { err, isJson } = context;
  if (!isJson) err.line(show`${paint.dim('stopping; Ctrl-C again ends it at once')}`);
  if (worker !== undefined) {
    const live = await ownClient(context, server)
      .tasks.list({ status: ['running'], limit: 100 })
      .catch(() => ({ items: [] }));
    if (!isJson) {
      for (const { key, run } of live.items) {
        err.line(
          show`${paint.dim('running')} ${key} of ${run}: 10 s to finish, then it goes on at the next start`,
        );
      }
    }
    await worker.stop();
  }
  await server.stop();
  if (!isJson) err.line(show`${paint.dim('stopped')}`);
}
