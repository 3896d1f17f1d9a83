import { workflowJsonSchema } from '../plan/workflow-schema.ts';
import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import { eventsPage } from './events-page.ts';

/** Pages under `docs/reference` that are made from this package, by path from the root. */
export function referenceFiles(): Readonly<Record<string, string>> {
  return {
    'docs/reference/baton.schema.json': `${JSON.stringify(workflowJsonSchema(), null, 2)}\n`,
    'docs/reference/cli.md': cliPage(),
    'docs/reference/errors.md': errorsPage(),
    'docs/reference/events.md': eventsPage(),
  };
}
