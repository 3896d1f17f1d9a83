import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@baton/contract';
import { command, optional } from '../../command.ts';
import { databaseOptions, openTools, whileStopped } from '../../roles/database.ts';
import { show } from '../../terminal/shown.ts';

export const dbExport = command({
  name: ['db', 'export'],
  summary: 'write every row as a line of JSON, for other programs',
  details:
    'Without secrets and blobs, and without a way back: for that there is `baton db backup`. To standard output when no file is named.',
  arguments: { file: optional('file to write; it must not be there yet') },
  options: databaseOptions,
  async run(context, { file }, options) {
    const { tools, settings } = await openTools(context, options);
    if (file === undefined) {
      context.activity.stop();
      await whileStopped(
        tools.exportRows(settings, (line) => context.out.raw(line)),
        'export',
      );
      return undefined;
    }
    const path = resolve(context.cwd, file);
    const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST'
        ? new AppError('already_exists', `${path} is there already; name another file.`)
        : error;
    });
    try {
      const rows = await whileStopped(
        tools.exportRows(settings, async (line) => {
          await handle.write(line);
        }),
        'export',
      );
      return { json: { file: path, rows }, text: show`${rows} rows are in ${path}.` };
    } finally {
      await handle.close();
    }
  },
});
