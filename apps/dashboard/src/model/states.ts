import type { AttemptStatus, RunStatus, TaskStatus } from '@baton/contract';

/** Colour family of a state; the token file has an ink, a wash and a solid for each. */
export type Tone = 'green' | 'blue' | 'red' | 'amber' | 'purple' | 'cyan' | 'neutral';

export type GlyphName =
  | 'disc'
  | 'ring'
  | 'check'
  | 'cross'
  | 'key'
  | 'hand'
  | 'shield'
  | 'lock'
  | 'bars'
  | 'slash'
  | 'chevrons'
  | 'layers'
  | 'dashed';

/** How a state looks: the same everywhere. `struck`: its name is crossed out. */
export interface Look {
  readonly tone: Tone;
  readonly glyph: GlyphName;
  readonly struck?: true;
}

export const TASK_LOOK: Readonly<Record<TaskStatus, Look>> = {
  blocked: { tone: 'neutral', glyph: 'lock' },
  awaiting_approval: { tone: 'amber', glyph: 'key' },
  ready: { tone: 'amber', glyph: 'ring' },
  running: { tone: 'green', glyph: 'disc' },
  waiting: { tone: 'purple', glyph: 'hand' },
  verifying: { tone: 'cyan', glyph: 'shield' },
  paused: { tone: 'neutral', glyph: 'bars' },
  completed: { tone: 'blue', glyph: 'check' },
  failed: { tone: 'red', glyph: 'cross' },
  cancelled: { tone: 'neutral', glyph: 'slash', struck: true },
  skipped: { tone: 'neutral', glyph: 'chevrons', struck: true },
  superseded: { tone: 'neutral', glyph: 'layers', struck: true },
};

export const RUN_LOOK: Readonly<Record<RunStatus, Look>> = {
  planning: { tone: 'amber', glyph: 'ring' },
  running: { tone: 'green', glyph: 'disc' },
  waiting: { tone: 'purple', glyph: 'hand' },
  paused: { tone: 'neutral', glyph: 'bars' },
  cancelling: { tone: 'neutral', glyph: 'slash' },
  completed: { tone: 'blue', glyph: 'check' },
  failed: { tone: 'red', glyph: 'cross' },
  cancelled: { tone: 'neutral', glyph: 'slash', struck: true },
};

export const ATTEMPT_LOOK: Readonly<Record<AttemptStatus, Look>> = {
  claimed: { tone: 'amber', glyph: 'ring' },
  running: { tone: 'green', glyph: 'disc' },
  parked: { tone: 'purple', glyph: 'hand' },
  stopping: { tone: 'neutral', glyph: 'slash' },
  succeeded: { tone: 'blue', glyph: 'check' },
  failed: { tone: 'red', glyph: 'cross' },
  lost: { tone: 'neutral', glyph: 'dashed' },
  timed_out: { tone: 'red', glyph: 'cross' },
  cancelled: { tone: 'neutral', glyph: 'slash', struck: true },
  released: { tone: 'neutral', glyph: 'chevrons' },
};

/** Order of the segments of a progress meter: finished first, then what moves, then what waits. */
export const METER_ORDER: readonly TaskStatus[] = [
  'completed',
  'failed',
  'verifying',
  'running',
  'waiting',
  'awaiting_approval',
  'ready',
  'paused',
  'blocked',
  'cancelled',
  'skipped',
  'superseded',
];
