import type { Checkpoint } from '@baton/contract';
import { join, paint, show, stack, type Shown } from '../terminal/shown.ts';
import { ago, duration } from '../terminal/time-text.ts';

/** One thing that waits for a person, and how to answer it: `hint`, or the command that does. */
export function checkpointCard(
  it: Checkpoint & { readonly holds_up?: number },
  nowMs: number,
  hint = howTo(it),
): Shown {
  const left =
    it.timeout_at === null
      ? ''
      : `, ${it.on_timeout === 'use_default' ? `takes ${it.default_option ?? 'its default'}` : it.on_timeout === 'fail' ? 'fails' : 'reminds'} in ${duration(Math.max(0, Date.parse(it.timeout_at) - nowMs))}`;
  const options =
    it.options.length === 0
      ? undefined
      : join(
          it.options.map((option) =>
            option === it.default_option ? show`${paint.bold(option)} (default)` : option,
          ),
          ' | ',
        );
  const behind = it.holds_up === undefined || it.holds_up === 0 ? '' : `, holds up ${it.holds_up}`;
  return stack(
    show`${paint.yellow(it.kind)} ${it.id} ${paint.dim(`${it.task_key ?? 'run'} of ${it.run}, opened ${ago(it.opened_at, nowMs)}${behind}${left}`)}`,
    show`  ${it.question}`,
    options !== undefined && show`  ${options}`,
    show`  ${paint.dim(hint)}`,
  );
}

function howTo({ id, kind, options, freeform }: Checkpoint): string {
  if (kind === 'dispatch_approval' || kind === 'plan_approval') {
    return `baton inbox answer ${id} approve   (or reject)`;
  }
  const first = options[0];
  if (first !== undefined) return `baton inbox answer ${id} ${shellWord(first)}`;
  return freeform ? `baton inbox answer ${id} "your answer"` : `baton inbox answer ${id} --default`;
}

/** As one would type it; only for show. */
function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

/** What was decided, by whom. */
export function decisionText(it: Checkpoint): Shown {
  const { resolution } = it;
  if (resolution === null) return show`${it.id} is ${it.status}`;
  const said = resolution.option ?? resolution.text ?? 'the default';
  return show`${it.id} ${paint.green('decided')}: ${said} ${paint.dim(`by ${resolution.by} via ${resolution.via}`)}`;
}
