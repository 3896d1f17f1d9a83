import type { Output } from '../terminal/output.ts';
import { paint, show, type Shown } from '../terminal/shown.ts';
import type { RunViewer } from './run-viewer.ts';

/** Lines that wait while a person types, and one notice for each lost connection. */
export interface LineTeller extends Pick<RunViewer, 'reconnecting' | 'setQuiet'> {
  line(text: Shown): void;
  /** Something came: the connection is there. */
  connected(): void;
}

/** Tells at once until it is made quiet. */
export function createLineTeller(out: Output): LineTeller {
  let held: Shown[] | undefined;
  let isLost = false;
  const line = (text: Shown): void => {
    if (held === undefined) out.line(text);
    else held.push(text);
  };
  return {
    line,
    connected() {
      isLost = false;
    },
    reconnecting(why) {
      if (!isLost) line(paint.yellow(show`... ${why} Trying again until it is back.`));
      isLost = true;
    },
    setQuiet(isQuiet) {
      if (isQuiet) {
        held ??= [];
        return;
      }
      const all = held ?? [];
      held = undefined;
      for (const text of all) out.line(text);
    },
  };
}
