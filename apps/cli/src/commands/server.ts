import { command } from '../command.ts';
import { openControlPlane, readyLine, serverOptions } from '../roles/control-plane.ts';
import { paint, show, stack } from '../terminal/shown.ts';

export const server = command({
  name: ['server'],
  summary: 'run the control plane until Ctrl-C',
  details:
    'Its log goes to standard error as JSON lines. With --json one line tells when it is ready.',
  options: serverOptions,
  async run(context, _, options) {
    const running = await openControlPlane(context, options, 'stderr');
    context.activity.stop();
    if (context.isJson) context.out.json(readyLine(running));
    else {
      context.out.line(
        stack(
          show`control plane at ${paint.bold(running.url)}`,
          show`log in with  ${running.loginUrl} ${paint.dim('(valid once)')}`,
          running.apiKey !== undefined &&
            show`owner's key  ${running.apiKey} ${paint.dim('(shown this once; kept in client.json of the data directory)')}`,
        ),
      );
    }
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve());
    });
    await running.stop();
    return undefined;
  },
});
