import type { Run } from '@baton/contract';
import type { Answer } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { paint, show, stack, type Shown } from '../terminal/shown.ts';
import { statusText } from '../terminal/status-text.ts';
import { countText, deliveryText } from '../views/run-view.ts';
import { answerHere } from './answer-here.ts';
import { createJsonViewer, createLineViewer } from './line-viewer.ts';
import type { RunViewer } from './run-viewer.ts';
import { createTableViewer } from './table-viewer.ts';
import { watchRun } from './watch-run.ts';

/** Shows a run to its end. Exit 0 only if it is completed; 130 when the watching was ended by Ctrl-C. */
export async function showRun(context: Context, id: string): Promise<Answer> {
  const client = context.client();
  const viewer = viewerFor(context, id);
  const answering = answerHere(context, id, viewer);
  context.activity.stop();
  try {
    const run = await watchRun(client, id, viewer, {
      signal: context.signal,
      onCheckpoints: () => answering.look(),
    });
    if (run === undefined) return leftAnswer(id);
    return {
      json: { run },
      text: outcome(run),
      exitCode: run.status === 'completed' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code,
    };
  } finally {
    answering.stop();
  }
}

function viewerFor({ isJson, out, client, nowMs }: Context, id: string): RunViewer {
  if (isJson) return createJsonViewer(out);
  return out.isTty
    ? createTableViewer(out, () => client().runs.graph(id), nowMs)
    : createLineViewer(out);
}

function leftAnswer(id: string): Answer {
  return {
    json: { run: { id }, left: true },
    text: show`${paint.dim('The run goes on.')} baton run view ${id}   baton run cancel ${id}`,
    exitCode: EXIT_CODES.interrupted.code,
  };
}

/** How it ended, in a few lines. */
function outcome(run: Run): Shown {
  const delivery = deliveryText(run);
  return stack(
    show`${paint.bold(run.id)} ${statusText(run.status)}${run.reason === null ? '' : `: ${run.reason}`} (${countText(run)})`,
    delivery !== undefined && show`${paint.dim('delivery')} ${delivery}`,
    run.status === 'failed' &&
      show`${paint.dim('why')} baton run view ${run.id}   baton logs ${run.id}/TASK`,
  );
}
