import { freemem, totalmem } from 'node:os';
import type { WorkerConfig } from './config.ts';
import type { Link } from './link/link.ts';
import type { Log } from './log.ts';

/** Whether new work is welcome, and the word of it to the control plane. */
export interface Gate {
  /** The worker ends: nothing is taken any more, even if it was sent by then. */
  readonly isShut: boolean;
  shut(): void;
  /** To be said on each new connection: without it no work comes. */
  say(): void;
  stop(): void;
}

/** A gate that is open unless memory is short or somebody has shut it. */
export function openGate(config: WorkerConfig, link: Link, log: Log): Gate {
  let isShut = false;
  const memory = watchMemory({
    floorBytes: config.freeMemoryBytesMin ?? defaultFloorBytes(),
    free: freemem,
    onChange(isOpen) {
      log.warn({ isOpen }, isOpen ? 'memory is free again' : 'memory is short: no new work');
      say();
    },
  });

  /**
   * How many tasks are welcome. An upper bound, said once and not for each task: the control plane itself
   * counts those that this worker has.
   */
  function say(): void {
    const free = isShut || !memory.isOpen ? 0 : config.slots;
    link.say({ type: 'slots', free, ...(isShut ? { leaving: true } : {}) });
  }

  return {
    get isShut() {
      return isShut;
    },
    shut() {
      isShut = true;
      say();
    },
    say,
    stop: memory.stop,
  };
}

interface Admission {
  /** Whether new work may come. */
  readonly isOpen: boolean;
  readonly stop: () => void;
}

const everyMs = 5_000;
const floorBytesMax = 1024 ** 3;
const floorShare = 1 / 20;
/** Opens again only with some room, so that it does not flutter. */
const reopenShare = 1.25;

/** The floor of a machine of which nothing else was said. */
function defaultFloorBytes(): number {
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
