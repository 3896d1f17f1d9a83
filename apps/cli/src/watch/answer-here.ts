import { AppError, type Checkpoint } from '@baton/contract';
import type { Context } from '../context.ts';
import { usage } from '../option.ts';
import { decisionOf } from '../resolve/decision.ts';
import { show } from '../terminal/shown.ts';
import { checkpointCard, decisionText } from '../views/checkpoint-view.ts';
import type { RunViewer } from './run-viewer.ts';

/** Puts a run's open questions to the person at the terminal, one after another. */
export interface Answering {
  /** Something opened or was decided elsewhere. */
  look(): void;
  stop(): void;
}

/**
 * A question that is decided elsewhere while it is on screen disappears; an empty line leaves it for
 * later. @returns an idle one where nobody can type.
 */
export function answerHere(context: Context, run: string, viewer: RunViewer): Answering {
  if (!context.input.isTty || !context.err.isTty || context.isJson) {
    return { look: () => undefined, stop: () => undefined };
  }
  const passed = new Set<string>();
  let asking: { readonly id: string; readonly abort: AbortController } | undefined;
  let isStopped = false;

  async function openOnes(): Promise<readonly Checkpoint[]> {
    const { items } = await context.client().runs.checkpoints(run);
    return items.filter(({ status }) => status === 'open');
  }

  async function step(): Promise<void> {
    const open = await openOnes();
    if (asking !== undefined) {
      if (!open.some(({ id }) => id === asking?.id)) asking.abort.abort();
      return;
    }
    const next = open.find(({ id }) => !passed.has(id));
    if (next === undefined || isStopped) return;
    asking = { id: next.id, abort: new AbortController() };
    viewer.setQuiet(true);
    try {
      await put(context, next, asking.abort.signal);
    } finally {
      passed.add(next.id);
      asking = undefined;
      viewer.setQuiet(false);
    }
    await step();
  }

  return {
    // A failed look is made again at the next event; the stream's own trouble is shown by the viewer.
    look: () => void step().catch(() => undefined),
    stop() {
      isStopped = true;
      asking?.abort.abort();
    },
  };
}

async function put(context: Context, it: Checkpoint, signal: AbortSignal): Promise<void> {
  const { err, input } = context;
  err.line(checkpointCard(it, context.nowMs(), 'type the answer; Enter alone leaves it for later'));
  for (;;) {
    const words = await input.ask('  > ', AbortSignal.any([signal, context.signal]));
    if (words === undefined) {
      err.line(show``);
      return;
    }
    if (words.trim() === '') return;
    try {
      const offered = it.options;
      if (
        offered.length > 0 &&
        !it.freeform &&
        decisionOf(words.trim(), offered, NO_FLAGS).option === undefined
      ) {
        throw usage(`One of: ${offered.join(', ')}.`);
      }
      const decision = decisionOf(words.trim(), offered, NO_FLAGS);
      err.line(decisionText(await context.client().checkpoints.resolve(it.id, decision)));
      return;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      err.line(show`  ${error.message}`);
      if (error.code === 'checkpoint_closed') return;
    }
  }
}

const NO_FLAGS = { default: false, text: false, reason: undefined };
