import { findDoor } from '../../attempt/door.ts';
import { command, rest } from '../../command.ts';
import { numeric, usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskProgress = command({
  name: ['task', 'progress'],
  summary: 'say how far a task is',
  details: 'Inside an attempt it is about its own task; elsewhere name the task first.',
  examples: ['baton task progress "Tests pass, writing docs" --percent 80'],
  arguments: { text: rest('[task] what is being done') },
  options: { percent: numeric('--percent <number>', 'from 0 to 100', { min: 0, max: 100 }) },
  async run(context, { text: words }, { percent }) {
    const door = words.length < 2 ? findDoor(context) : undefined;
    const body = {
      text: words.at(-1) ?? '',
      ...(percent === undefined ? {} : { percent }),
    };
    if (door !== undefined) {
      const handed = await door.progress(body);
      return { json: { state: handed.state }, text: show`` };
    }
    const [task, text, more] = words;
    if (task === undefined || text === undefined || more !== undefined) {
      throw usage('Name the task and put the text in quotes: baton task progress TASK "text".');
    }
    const { client } = context;
    const changed = await client().tasks.progress(await resolveTask(client(), task), body);
    return { json: changed, text: show`${changed.key}: ${text}` };
  },
});
