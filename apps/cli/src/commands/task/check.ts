import { findDoor } from '../../attempt/door.ts';
import { command, optionalId } from '../../command.ts';
import { usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { block, paint, show, stack } from '../../terminal/shown.ts';
import { taskPage } from '../../views/task-view.ts';

export const taskCheck = command({
  name: ['task', 'check'],
  summary: 'what a task is about, with its resolved inputs',
  details: 'Inside an attempt: its own task, as it was given. Elsewhere name the task.',
  arguments: { task: optionalId('id or key of a task, or RUN/KEY') },
  async run(context, { task }) {
    const { client, nowMs } = context;
    const door = task === undefined ? findDoor(context) : undefined;
    if (door !== undefined) {
      const given = await door.task();
      const json = { ...given, resolved_inputs: given['inputs'] ?? {} };
      return { json, text: block(JSON.stringify(json, null, 2)) };
    }
    if (task === undefined) throw usage('Name a task: baton task check TASK.');
    const detail = await client().tasks.get(await resolveTask(client(), task));
    return {
      json: { ...detail, resolved_inputs: detail.inputs },
      text: stack(
        taskPage(detail, nowMs()),
        Object.keys(detail.inputs).length > 0 && paint.bold(show`inputs`),
        Object.keys(detail.inputs).length > 0 &&
          block(JSON.stringify(detail.inputs, null, 2), '  '),
      ),
    };
  },
});
