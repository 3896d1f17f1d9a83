import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { block, paint, show, stack } from '../../terminal/shown.ts';
import { ago } from '../../terminal/time-text.ts';

export const taskNotes = command({
  name: ['task', 'notes'],
  summary: 'notes on a task, oldest first',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client, nowMs }, { task }) {
    const page = await client().tasks.notes(await resolveTask(client(), task));
    return {
      json: page,
      text: stack(
        ...page.items.map((note) =>
          stack(
            show`${paint.bold(note.author)} ${paint.dim(ago(note.created_at, nowMs()))}${note.urgent ? paint.yellow(' urgent') : ''}`,
            block(note.text, '  '),
          ),
        ),
      ),
    };
  },
});
