import { findDoor } from '../../attempt/door.ts';
import { command, rest } from '../../command.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { flag, numeric, usage } from '../../option.ts';
import { readText } from '../../resolve/read-text.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { endTurn } from './ask.ts';

export const taskPlan = command({
  name: ['task', 'plan'],
  summary: 'hand in a plan of the own task and have it approved; elsewhere: show a plan',
  details: [
    'Inside an attempt the plan goes to a person, and your turn is to end: once the plan is approved, or',
    'sent back with feedback, this conversation goes on. With --wait it waits in the call, prints the',
    'word on the plan (approve, or the feedback), and exits 0 when it is approved, 1 when it is not.',
    'Approve or revise it with baton task approve, or baton task answer TASK "feedback".',
  ].join(' '),
  examples: [
    'baton task plan @plan.md',
    'baton task plan "1. schema 2. handlers" --wait',
    'baton task plan design',
  ],
  arguments: { plan: rest('the plan, @file or -; elsewhere the task') },
  options: {
    wait: flag('--wait', 'wait in the call for the word on it'),
    hold: flag('--hold', 'end the turn, and this worker keeps the place for it'),
    timeout: numeric('--timeout <seconds>', 'the task fails when nobody decides by then', {
      min: 1,
    }),
  },
  async run(context, { plan: words }, { wait, hold, timeout }) {
    const [first, more] = words;
    if (first === undefined || more !== undefined) {
      throw usage('Give the plan in quotes or as @file: baton task plan @plan.md.');
    }
    const door = findDoor(context);
    if (door === undefined) {
      const { client } = context;
      const task = await client().call('getTask', {
        params: { id: await resolveTask(client(), first) },
      });
      const { plan } = task;
      const word = plan?.feedback === null || plan === null ? '' : `\n\n${plan.feedback}`;
      return {
        json: plan,
        text:
          plan === null
            ? show`${task.key} has no plan`
            : show`${plan.text}\n\n(${plan.state}, revision ${plan.revision})${word}`,
      };
    }
    const plan = await readText(first, context.cwd, context.input);
    context.activity.say('waiting for the word on the plan');
    const word = await door.plan(
      {
        plan,
        resume: wait ? 'live' : hold ? 'held' : 'new_attempt',
        ...(timeout === undefined ? {} : { timeout_seconds: timeout }),
      },
      Number.POSITIVE_INFINITY,
    );
    if (word === undefined) {
      return {
        json: { pending: true },
        text: show`Not decided yet.`,
        exitCode: EXIT_CODES.timeout.code,
      };
    }
    if (word.yield) return endTurn(word.checkpoint);
    const { option, text, reason } = word.resolution;
    const said = option === 'approve' ? 'approve' : (text ?? reason ?? option ?? 'revise');
    return {
      json: { approved: option === 'approve', feedback: text ?? reason, ...word.resolution },
      text: show`${said}`,
      ...(option === 'approve' ? {} : { exitCode: EXIT_CODES.failed.code }),
    };
  },
});
