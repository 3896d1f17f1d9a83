import type { Log } from './log.ts';

/** Functions to call with news. One that throws is logged and does not keep it from the others. */
export interface Listeners<T> {
  readonly add: (listener: (news: T) => void) => () => void;
  readonly tell: (news: T) => void;
}

/** `log` is told of a listener that throws. */
export function createListeners<T>(log: Log): Listeners<T> {
  const all = new Set<(news: T) => void>();
  return {
    add(listener) {
      all.add(listener);
      return () => all.delete(listener);
    },
    tell(news) {
      for (const listener of all) {
        try {
          listener(news);
        } catch (error) {
          log.error({ error }, 'a listener failed');
        }
      }
    },
  };
}
