import { command } from '../../command.ts';
import { databaseOptions, openTools, whileStopped } from '../../roles/database.ts';
import { flag, text } from '../../option.ts';
import { show, stack } from '../../terminal/shown.ts';

export const dbMigrate = command({
  name: ['db', 'migrate'],
  summary: 'bring a database to the schema of this version, or move it to PostgreSQL',
  details:
    'A start of the control plane migrates too. With --to everything is copied into an empty PostgreSQL database; start the control plane there with DATABASE_URL and the same data directory. The old database stays as it is.',
  options: {
    ...databaseOptions,
    status: flag('--status', 'only say what would be done'),
    to: text('--to <url>', 'PostgreSQL database to move to; it must be empty'),
  },
  examples: ['baton db migrate --to postgres://baton@db.example/baton'],
  async run(context, _, options) {
    const { tools, settings } = await openTools(context, options);
    if (options.status) {
      const status = await whileStopped(tools.migrationStatus(settings), 'ask again');
      return {
        json: status,
        text: stack(
          show`${status.applied.length} migrations are applied, ${status.pending.length} are not.`,
          ...status.pending.map((name) => show`  ${name}`),
        ),
      };
    }
    if (options.to !== undefined) {
      context.activity.say('moving');
      const moved = await whileStopped(tools.moveTo(settings, options.to), 'move');
      const { rows, incarnation } = moved;
      return {
        json: { rows, incarnation },
        text: show`${rows} rows are moved. Start the control plane with DATABASE_URL set to the new database and --data-dir ${settings.dataDir}.`,
      };
    }
    const applied = await whileStopped(tools.applyMigrations(settings), 'migrate');
    return {
      json: { applied },
      text:
        applied.length === 0
          ? show`The database has the schema of this version.`
          : stack(...applied.map((name) => show`applied ${name}`)),
    };
  },
});
