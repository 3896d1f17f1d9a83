import type { Actor, Command, WorkerFrame } from '@baton/contract';

/** Frames that are acknowledged by `seq`. */
export type CountedFrame = Extract<WorkerFrame, { seq: number }>;

/** Those of them that name tasks as agents do, or only ask: they are more than one command. */
export type AgentFrame = Extract<CountedFrame, { type: 'spawn' | 'children' | 'await' }>;

export function isAgentFrame(frame: CountedFrame): frame is AgentFrame {
  return frame.type === 'spawn' || frame.type === 'children' || frame.type === 'await';
}

/** Who speaks on a link, as commands name them. */
export interface Speaker {
  readonly worker: string;
  readonly project: string;
  readonly actor: Actor;
}

/** The command that a counted frame stands for. */
export function commandOf(
  frame: Exclude<CountedFrame, AgentFrame>,
  { worker, project, actor }: Speaker,
): Command {
  const base = { project, actor, worker };
  if (frame.type === 'delivered') {
    return { ...base, type: 'run.delivered', run: frame.run, delivery: frame.delivery };
  }
  const { attempt } = frame;
  switch (frame.type) {
    case 'started':
      return { ...base, type: 'attempt.start', attempt, body: frame.body };
    case 'progress':
      return { ...base, type: 'attempt.progress', attempt, body: frame.body };
    case 'output':
      return { ...base, type: 'attempt.output', attempt, body: frame.body };
    case 'checkpoint_open':
      return { ...base, type: 'attempt.checkpoint', attempt, body: frame.body };
    case 'plan':
      return { ...base, type: 'attempt.plan', attempt, body: frame.body };
    case 'actions':
      return { ...base, type: 'attempt.actions', attempt, body: frame.body };
    case 'note':
      return { ...base, type: 'attempt.note', attempt, body: frame.body };
    case 'complete':
      return { ...base, type: 'attempt.complete', attempt, body: frame.body };
    case 'fail':
      return { ...base, type: 'attempt.fail', attempt, body: frame.body };
    case 'release':
      return { ...base, type: 'attempt.release', attempt, body: frame.body };
  }
}
