import { totalmem } from 'node:os';

export interface Admission {
  /** Whether new work may come. */
  readonly isOpen: boolean;
  stop(): void;
}

const everyMs = 5_000;
const floorBytesMax = 1024 ** 3;
const floorShare = 1 / 20;
/** Opens again only with some room, so that it does not flutter. */
const reopenShare = 1.25;

/** The floor of a machine of which nothing else was said. */
export function defaultFloorBytes(): number {
  return Math.min(floorBytesMax, Math.floor(totalmem() * floorShare));
}

/**
 * Watches free memory: under the floor an agent more would cost those that run. `onChange` is told each
 * time it closes or opens; `free` answers bytes.
 */
export function watchMemory(options: {
  readonly floorBytes: number;
  readonly free: () => number;
  readonly everyMs?: number;
  readonly onChange: (isOpen: boolean) => void;
}): Admission {
  const { floorBytes, free, onChange } = options;
  let isOpen = floorBytes === 0 || free() >= floorBytes;

  function look(): void {
    const bytes = free();
    const next = isOpen ? bytes >= floorBytes : bytes >= floorBytes * reopenShare;
    if (next === isOpen) return;
    isOpen = next;
    onChange(isOpen);
  }

  const timer = floorBytes === 0 ? undefined : setInterval(look, options.everyMs ?? everyMs);
  timer?.unref();
  return {
    get isOpen() {
      return isOpen;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
