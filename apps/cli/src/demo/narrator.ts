import type { Output } from '../terminal/output.ts';
import { paint, show, type Shown } from '../terminal/shown.ts';
import { eventSentence as sentenceOf } from '../views/event-line.ts';
import { createLineTeller } from '../watch/line-teller.ts';
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
  const teller = createLineTeller(out);
  const tell = (who: string, what: Shown): void =>
    teller.line(show`  ${paint.bold(who.padEnd(10))} ${what}`);
  return {
    start({ tasks }) {
      for (const { id, key } of tasks) keys.set(id, key);
    },
    event(event) {
      teller.connected();
      const key = event.task === null ? 'run' : (keys.get(event.task) ?? '');
      const story = STORY[key];
      const sentence = sentenceOf(event);
      if (event.type === 'task.started' && story !== undefined) {
        tell(key, paint.cyan(story));
      } else if (sentence !== undefined && event.type === 'contract.fulfilled') {
        tell(key, show`${sentence}, checked against its JSON Schema`);
      } else if (sentence !== undefined && !UNTOLD.has(event.type)) {
        tell(key, sentence);
      }
    },
    reconnecting: (why) => teller.reconnecting(why),
    setQuiet: (isQuiet) => teller.setQuiet(isQuiet),
    end: () => Promise.resolve(),
  };
}
