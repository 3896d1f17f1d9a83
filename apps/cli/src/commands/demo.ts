import { command } from '../command.ts';
import { runDemo } from '../demo/run-demo.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { numeric } from '../option.ts';
import { show } from '../terminal/shown.ts';

export const demo = command({
  name: ['demo'],
  summary: 'run the demo: a real run on a real repository, with scripts for agents',
  options: {
    questionTimeout: numeric(
      '--question-timeout <seconds>',
      'how long its question waits for you (default 60)',
      { min: 1 },
    ),
  },
  async run(context, _, { questionTimeout }) {
    const outcome = await runDemo(context, { questionSeconds: questionTimeout });
    if (outcome === undefined) {
      return {
        json: { left: true },
        text: show`The run goes on: baton run view last`,
        exitCode: EXIT_CODES.interrupted.code,
      };
    }
    return { json: outcome, text: show`` };
  },
});
