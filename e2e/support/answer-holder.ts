import { startRelay } from './relay.ts';

/** A relay in front of a control plane that can keep an answer from its client. */
export interface AnswerHolder {
  readonly url: string;
  /** Calls `instead` in place of telling the next answer that something was created. */
  holdNext(instead: () => void): void;
}

const created = Buffer.from('HTTP/1.1 201');

/** Relays to the address of a control plane; ended with the test. */
export async function startAnswerHolder(target: string): Promise<AnswerHolder> {
  let instead: (() => void) | undefined;
  const { url } = await startRelay(target, (answer) => {
    const call = answer.includes(created) ? instead : undefined;
    if (call === undefined) return false;
    instead = undefined;
    call();
    return true;
  });
  return {
    url,
    holdNext(call) {
      instead = call;
    },
  };
}
