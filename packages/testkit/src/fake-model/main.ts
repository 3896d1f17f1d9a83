/** The fake model as a program: `PORT=4010 DELAY_MS=5 tsx packages/testkit/src/fake-model/main.ts`, requests on stderr. */
import { startFakeModel } from './fake-model.ts';

const model = await startFakeModel({
  port: Number(process.env['PORT'] ?? 0),
  delayMs: Number(process.env['DELAY_MS'] ?? 5),
  log: (line) => {
    const shown = 'body' in line ? { ...line, body: undefined } : line;
    process.stderr.write(`${JSON.stringify(shown)}\n`);
  },
});
process.stdout.write(`${JSON.stringify({ url: model.url })}\n`);
