import { FAILURE_CLASSES } from '@baton/contract';
import { getDoor } from '../../attempt/door.ts';
import { command, rest } from '../../command.ts';
import { choice, usage } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const taskFail = command({
  name: ['task', 'fail'],
  summary: 'say that the own task cannot be done',
  arguments: { reason: rest('why') },
  options: {
    class: choice('--class <class>', 'failure class (default: agent_error)', FAILURE_CLASSES),
  },
  async run(context, { reason }, options) {
    if (reason.length === 0) throw usage('Say why: baton task fail "...".');
    const door = getDoor(context, '`baton task fail`');
    const handed = await door.fail(reason.join(' '), options.class);
    return { json: { state: handed.state }, text: show`handed in: failed` };
  },
});
