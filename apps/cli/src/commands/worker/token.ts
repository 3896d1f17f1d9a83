import { command } from '../../command.ts';
import { flag, numeric, pairs, text } from '../../option.ts';
import { paint, show, stack } from '../../terminal/shown.ts';

export const workerTokenCommand = command({
  name: ['worker', 'token'],
  summary: 'make a token with which a machine joins the fleet; it is shown this once',
  options: {
    name: text('--name <name>', 'the only worker name it may register'),
    labels: pairs('--labels <k=v,...>', 'labels of the workers that join with it', { comma: true }),
    maxUses: numeric('--max-uses <number>', 'how many may join (default 1)', {
      min: 1,
      max: 10_000,
    }),
    ephemeral: flag('--ephemeral', 'workers that leave the list when they go away'),
    expiresIn: numeric('--expires-in <seconds>', 'how long it can be used (default one day)', {
      min: 60,
    }),
  },
  async run({ client, config }, _, { name, labels, maxUses, ephemeral, expiresIn }) {
    const token = await client().workers.createToken({
      name,
      labels: { ...labels },
      max_uses: maxUses,
      ephemeral,
      expires_in: expiresIn,
    });
    return {
      json: token,
      text: stack(
        show`${paint.bold(token.token)}`,
        show`${paint.dim('valid until')} ${token.expires_at}`,
        show`${paint.dim('on the machine')} ${token.install}`,
        isLoopback(config.target.url) &&
          show`${paint.yellow('only this machine reaches')} ${config.target.url}. For others start with --host and --public-url, and make a new token.`,
      ),
    };
  },
});

function isLoopback(url: string): boolean {
  return /^(?:127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname);
}
