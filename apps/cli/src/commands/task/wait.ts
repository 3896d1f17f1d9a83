import { findDoor } from '../../attempt/door.ts';
import { AWAIT_POLICIES, LIMITS, type TaskWaitReply } from '@baton/contract';
import { command, rest } from '../../command.ts';
import type { Context } from '../../context.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { flag, numeric, usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { taskList } from '../../views/task-view.ts';

/** One call waits this long; the next one goes on. Shorter than what proxies cut. */
const CALL_SECONDS_MAX = 50;

export const taskWait = command({
  name: ['task', 'wait'],
  summary: 'wait until tasks have ended: all of them, one with --any, some with --quorum',
  details:
    'Exit 0 when every task that has ended is completed, 1 when one failed, 75 when the time was up first; the states as they are then are shown each time.',
  examples: ['baton task wait build lint', 'baton task wait a b c --quorum 2 --timeout 600'],
  arguments: { tasks: rest('ids, prefixes, keys or RUN/KEY of tasks') },
  options: {
    any: flag('--any', 'one is enough'),
    quorum: numeric('--quorum <number>', 'so many are enough', { min: 1 }),
    timeout: numeric('--timeout <seconds>', 'give up after this; default: never', { min: 0 }),
  },
  async run(context, { tasks: texts }, { any, quorum, timeout }) {
    if (texts.length === 0) throw usage('Name at least one task: baton task wait TASK...');
    if (texts.length > LIMITS.awaitedTasksMax) {
      throw usage(`At most ${LIMITS.awaitedTasksMax} tasks can be waited for at once.`);
    }
    if (any && quorum !== undefined) throw usage('Give --any or --quorum, not both.');
    const client = context.client();
    // An agent's own run is known there: its children go by their keys.
    const isAgent = findDoor(context) !== undefined;
    const ids = isAgent
      ? [...texts]
      : await Promise.all(texts.map((text) => resolveTask(client, text)));
    const policy = quorum === undefined ? AWAIT_POLICIES[any ? 1 : 0] : 'quorum';
    context.activity.say(`waiting for ${texts.join(', ')}`);
    const reply = await waitLong(context, { ids, policy, quorum }, timeout);
    const ended = reply.tasks.filter(({ ended_at: at }) => at !== null);
    const isBad = ended.some(({ status }) => status !== 'completed' && status !== 'skipped');
    return {
      json: reply,
      text: taskList(reply.tasks, context.nowMs(), context.out.columns()),
      exitCode: !reply.met
        ? EXIT_CODES.timeout.code
        : isBad
          ? EXIT_CODES.failed.code
          : EXIT_CODES.ok.code,
    };
  },
});

async function waitLong(
  context: Context,
  body: { ids: string[]; policy: (typeof AWAIT_POLICIES)[number]; quorum: number | undefined },
  seconds: number | undefined,
): Promise<TaskWaitReply> {
  const untilMs =
    seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000;
  const { quorum, ...rule } = body;
  for (;;) {
    const left = Math.max(0, (untilMs - performance.now()) / 1_000);
    const reply = await context.client().call('waitTasks', {
      body: {
        ...rule,
        ...(quorum === undefined ? {} : { quorum }),
        timeout: Math.min(CALL_SECONDS_MAX, left),
      },
      signal: context.signal,
    });
    if (reply.met || performance.now() >= untilMs || context.signal.aborted) return reply;
  }
}
