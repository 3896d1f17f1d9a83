import type { CheckpointOpen } from '@baton/contract';
import { refuse, type Refused } from '../refuse.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';

type Asked = Pick<
  CheckpointOpen,
  'options' | 'default' | 'freeform' | 'on_timeout' | 'timeout_seconds'
>;

/** What is wrong with a question, or null. */
export function questionFault(asked: Asked): Refused | null {
  const { options, default: preset } = asked;
  if (new Set(options).size !== options.length) {
    return refuse('invalid_option', 'Each option may be given once.', { options });
  }
  if (options.length === 0 && asked.freeform === false) {
    return refuse(
      'invalid_option',
      'Nobody could answer: give options, or allow an answer in words.',
    );
  }
  if (preset !== undefined && !options.includes(preset)) {
    return refuse(
      'invalid_option',
      options.length === 0
        ? 'A default must be one of the options; give options too.'
        : `The default ${preset} is none of the options ${options.join(', ')}.`,
      { options },
    );
  }
  if (asked.on_timeout === 'use_default' && preset === undefined) {
    return refuse('invalid_option', 'on_timeout use_default needs a default that is an option.');
  }
  return null;
}

/** What happens at the deadline, when the question does not say. */
export function onTimeoutOf(asked: Asked): CheckpointRow['onTimeout'] {
  return asked.on_timeout ?? (asked.default === undefined ? 'keep_waiting' : 'use_default');
}

/** A task waits for one thing at a time; the second question names the first. */
export function refuseSecond(task: TaskRow): Refused {
  return refuse(
    'checkpoint_open',
    `Task ${task.key} waits for checkpoint ${task.checkpointId ?? '?'} already; it must be decided first.`,
    { checkpoint: task.checkpointId ?? '' },
  );
}
