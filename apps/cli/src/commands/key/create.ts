import { SCOPES, type Scope } from '@baton/contract';
import { command, required } from '../../command.ts';
import { commaTexts, numeric, usage } from '../../option.ts';
import { paint, show, stack } from '../../terminal/shown.ts';

export const keyCreate = command({
  name: ['key', 'create'],
  summary: 'make an API key with no more rights than your own; it is shown this once',
  arguments: { name: required('what it is for') },
  options: {
    scope: commaTexts('--scope <scopes>', `what it may do: ${SCOPES.join(', ')} (default: read)`),
    expiresIn: numeric('--expires-in <seconds>', 'how long it is valid (default: until revoked)', {
      min: 60,
    }),
  },
  async run({ client }, { name }, { scope, expiresIn }) {
    const scopes = scope.length === 0 ? (['read'] as const) : scope.map(scopeOf);
    const made = await client().keys.create({ name, scopes: [...scopes], expires_in: expiresIn });
    return {
      json: made,
      text: stack(
        show`${paint.bold(made.key)}`,
        show`${paint.dim(`${made.id} may ${made.scopes.join(', ')}`)}`,
      ),
    };
  },
});

function scopeOf(text: string): Scope {
  const found = SCOPES.find((scope) => scope === text);
  if (found === undefined) throw usage(`--scope is one of ${SCOPES.join(', ')}, not ${text}.`);
  return found;
}
