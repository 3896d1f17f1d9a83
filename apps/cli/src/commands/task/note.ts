import { findDoor } from '../../attempt/door.ts';
import { command, rest } from '../../command.ts';
import { flag, usage } from '../../option.ts';
import { readText } from '../../resolve/read-text.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskNote = command({
  name: ['task', 'note'],
  summary: 'add a note to a task; an urgent one is pushed to its live agent',
  details: 'Inside an attempt it is about its own task; elsewhere name the task first.',
  arguments: { text: rest('[task] the note; @file or - for standard input') },
  options: { urgent: flag('--urgent', 'push it to the live agent now') },
  async run(context, { text: words }, { urgent }) {
    const { client, cwd, input } = context;
    const door = words.length < 2 ? findDoor(context) : undefined;
    const [first, second, more] = words;
    if (door !== undefined && first !== undefined) {
      const handed = await door.note(await readText(first, cwd, input));
      return { json: { state: handed.state }, text: show`noted` };
    }
    if (first === undefined || second === undefined || more !== undefined) {
      throw usage('Name the task and put the note in quotes: baton task note TASK "text".');
    }
    const text = await readText(second, cwd, input);
    const note = await client().tasks.addNote(await resolveTask(client(), first), { text, urgent });
    return { json: note, text: show`${note.id} noted` };
  },
});
