import { command } from '../../command.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { databaseOptions, isInUse, openTools } from '../../roles/database.ts';
import { paint, show, stack } from '../../terminal/shown.ts';

export const dbCheck = command({
  name: ['db', 'check'],
  summary: 'hold every stored row and blob against the rules that must hold',
  details:
    'Reads only. Beside a control plane that has the embedded database open, that one is asked to look. Ends with 1 when a rule is broken.',
  options: databaseOptions,
  async run(context, _, options) {
    const { tools, settings } = await openTools(context, options);
    const checks = await tools.checkDatabase(settings).catch(async (error: unknown) => {
      if (!isInUse(error)) throw error;
      return (await context.client().call('checkDatabase')).checks;
    });
    const broken = checks.filter(({ count }) => count > 0);
    const ok = broken.length === 0;
    return {
      json: { ok, checks },
      text: stack(
        ...broken.map(({ id, invariant, words, count, faults }) =>
          stack(
            show`${paint.red('broken')}  ${paint.bold(id)} (${invariant})  ${words}  ${count}`,
            ...faults.map(({ subject, found }) => show`        ${subject}: ${found}`),
          ),
        ),
        ok
          ? show`${paint.green('All is well')}: ${checks.length} rules hold.`
          : show`${broken.length} of ${checks.length} rules are broken.`,
      ),
      exitCode: ok ? EXIT_CODES.ok.code : EXIT_CODES.failed.code,
    };
  },
});
