import { resolve } from 'node:path';
import { command, required } from '../../command.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { databaseOptions, openTools, whileStopped } from '../../roles/database.ts';
import { show, stack } from '../../terminal/shown.ts';

export const dbRestore = command({
  name: ['db', 'restore'],
  summary: 'put a backup into an empty database',
  details:
    'All of it or nothing; a damaged file is refused. Afterwards no epoch and no cursor from before the backup is given again, so that workers and readers of the lost time are told apart.',
  arguments: { file: required('file that `baton db backup` wrote') },
  options: databaseOptions,
  examples: ['baton db restore monday.backup --data-dir /srv/baton'],
  async run(context, { file }, options) {
    const { tools, settings } = await openTools(context, options);
    context.activity.say('restoring');
    const restored = tools.restoreFromBackup(settings, resolve(context.cwd, file));
    const { header, rows, blobs, incarnation } = await whileStopped(
      restored,
      'restore into another data directory',
    );
    context.activity.say('checking');
    const broken = (await tools.checkDatabase(settings)).filter(({ count }) => count > 0);
    return {
      json: { rows, blobs, incarnation, created_at: header.createdAt, ok: broken.length === 0 },
      text: stack(
        show`${rows} rows and ${blobs} blobs of ${header.createdAt} are restored.`,
        broken.length > 0 &&
          show`${broken.length} rules are broken; \`baton db check\` says which: the backup was made of a database that was.`,
      ),
      exitCode: broken.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.failed.code,
    };
  },
});
