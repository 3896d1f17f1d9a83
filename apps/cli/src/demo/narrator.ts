import type { Output } from '../terminal/output.ts';
import { paint, show } from '../terminal/shown.ts';
import { eventSentence as sentenceOf } from '../views/event-line.ts';
import type { RunViewer } from '../watch/run-viewer.ts';

/** What each task of the demo is about, told when it starts. */
const STORY: Readonly<Record<string, string>> = {
  design: 'a script reads the repository and designs two functions',
  slugify: 'a script builds slugify in a worktree of its own, from the design it was given',
  summarize: 'at the same time a script builds summarize, in another worktree',
  verify: 'a script runs all tests in a clean checkout of both commits merged',
  integrate: 'a script tests the merge once more; its commit is the result',
};

/** Events that the story does not need: the same is told by others. */
const UNTOLD: ReadonlySet<string> = new Set(['task.ready', 'task.assigned', 'task.note_added']);

/** Tells the demo in plain words, a line an event. */
export function createNarrator(out: Output): RunViewer {
  const keys = new Map<string, string>();
  let held: (() => void)[] | undefined;
  const tell = (who: string, what: ReturnType<typeof show>): void => {
    const line = show`  ${paint.bold(who.padEnd(10))} ${what}`;
    if (held === undefined) out.line(line);
    else held.push(() => out.line(line));
  };
  return {
    start({ tasks }) {
      for (const { id, key } of tasks) keys.set(id, key);
    },
    event(event) {
      const key = event.task === null ? 'run' : (keys.get(event.task) ?? '');
      const story = STORY[key];
      if (event.type === 'task.started' && story !== undefined) {
        tell(key, paint.cyan(story));
        return;
      }
      if (event.type === 'contract.fulfilled') {
        tell(key, show`${sentenceOf(event)}, checked against its JSON Schema`);
        return;
      }
      const sentence = UNTOLD.has(event.type) ? undefined : sentenceOf(event);
      if (sentence !== undefined) tell(key, sentence);
    },
    reconnecting: (why) => tell('', paint.dim(show`... ${why} Connecting again.`)),
    setQuiet(isQuiet) {
      if (isQuiet) {
        held ??= [];
        return;
      }
      const all = held ?? [];
      held = undefined;
      for (const draw of all) draw();
    },
    end: () => undefined,
  };
}
