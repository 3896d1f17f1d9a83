import { AppError } from '@baton/contract';
import { command } from '../../command.ts';
import type { Context } from '../../context.ts';
import { commaTexts, flag, numeric, pairs, text, texts, type OptionRow } from '../../option.ts';
import { stderrLog } from '../../log.ts';
import { BATON_BIN } from '../../roles/program-path.ts';
import { awaitWorkerEnd } from '../../roles/worker-end.ts';
import {
  defaultSlots,
  defaultWorkerName,
  hasJoined,
  urlInToken,
  workerDir,
} from '../../roles/worker-identity.ts';
import { startWorkerRole } from '../../roles/worker.ts';
import { show } from '../../terminal/shown.ts';
import { VERSION } from '../../version.ts';

const hidden = (flags: string): OptionRow<boolean> => flag(flags, '');

export const worker = command({
  name: ['worker'],
  summary: 'run a worker on this machine until Ctrl-C',
  details: [
    'It joins with a token (`baton worker token` on the control plane) and then keeps its own key in',
    'the data directory. It connects outwards only and listens on nothing.',
    'At Ctrl-C it takes no new work, gives agents 10 s (--drain-timeout) to finish and hands the tasks',
    'of the others back; with --leave-running they go on, and the next start takes them up again.',
  ].join(' '),
  examples: ['baton worker --token batj_... --repo ~/code/gateway --slots 4'],
  options: {
    token: text('--token <token>', 'join token; needed once (BATON_JOIN_TOKEN)'),
    name: text('--name <name>', 'name of this worker; default: that of the machine'),
    labels: pairs('--labels <k=v,...>', 'labels that tasks may ask for', { comma: true }),
    slots: text(
      '--slots <number>',
      'tasks at the same time (BATON_SLOTS); default: half the cores',
    ),
    repo: texts('--repo <name[=path]>', 'repository that it has'),
    scan: texts('--scan <dir>', 'folder in which to look for repositories'),
    languages: commaTexts('--languages <names>', 'languages it is good at'),
    tools: commaTexts('--tools <names>', 'tools it has'),
    ephemeral: flag('--ephemeral', 'leaves the list when it goes away'),
    inheritEnv: flag('--inherit-env', "agents get this machine's environment, not an allow-list"),
    leaveRunning: flag('--leave-running', 'agents go on when the worker ends'),
    drainTimeout: numeric(
      '--drain-timeout <seconds>',
      'how long agents may finish when the worker ends; default: 10',
      { min: 0 },
    ),
    parented: hidden('--parented'),
  },
  async run(context, _, options) {
    const { config, env, isJson, out } = context;
    const name = options.name ?? defaultWorkerName();
    const dataDir = workerDir(config.dataDir, name);
    const url = config.url ?? urlInToken(config.joinToken) ?? config.target.url;
    if (config.joinToken === undefined && !hasJoined(dataDir)) throw noToken(name);
    const role = await startWorkerRole(
      {
        url,
        ...(config.joinToken === undefined ? {} : { token: config.joinToken.trim() }),
        name,
        labels: { ...options.labels },
        slots: config.slots ?? defaultSlots(),
        dataDir,
        repos: [...options.repo],
        scan: [...options.scan],
        languages: [...options.languages],
        tools: [...options.tools],
        ephemeral: options.ephemeral,
        env: options.inheritEnv ? 'inherit' : 'clean',
        batonBin: BATON_BIN,
        version: VERSION,
        processEnv: env,
      },
      stderrLog(config.logLevel),
    );
    context.activity.stop();
    if (isJson) out.json({ id: role.id, name: role.name, url });
    else out.line(show`worker ${role.name} (${role.id}) works for ${url}. Ctrl-C ends it.`);
    await awaitWorkerEnd(role, context as Pick<Context, 'signal' | 'err'>, {
      leaveRunning: options.leaveRunning,
      drainMs: options.drainTimeout === undefined ? undefined : options.drainTimeout * 1_000,
      isParented: options.parented,
    });
    return undefined;
  },
});

function noToken(name: string): AppError {
  return new AppError(
    'bad_config',
    `Worker ${name} has not joined yet. Make a token where the control plane is (baton worker token) and give it: baton worker --token batj_...`,
  );
}
