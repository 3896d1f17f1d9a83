import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { plainText } from '../../terminal/plain-text.ts';
import { block, show, stack, paint, type Shown } from '../../terminal/shown.ts';

export const taskDiff = command({
  name: ['task', 'diff'],
  summary: 'the patch of a task: what its newest attempt with one has changed',
  details: 'Redirected to a file it is the patch itself, for `git apply`.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client, out, isJson }, { task }) {
    const patch = await client().tasks.diff(await resolveTask(client(), task));
    if (!isJson && !out.isTty) {
      out.raw(patch);
      return undefined;
    }
    const text = patch === '' ? show`The task changed nothing.` : colored(patch);
    return { json: { patch }, text };
  },
});

function colored(patch: string): Shown {
  const lines = plainText(patch).replace(/\n$/, '').split('\n');
  return stack(
    ...lines.map((line) => {
      if (line.startsWith('+++') || line.startsWith('---')) return paint.bold(block(line));
      if (line.startsWith('+')) return paint.green(block(line));
      if (line.startsWith('-')) return paint.red(block(line));
      return line.startsWith('@@') ? paint.cyan(block(line)) : block(line);
    }),
  );
}
