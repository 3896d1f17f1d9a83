import { refusal, type ErrorCode, type PublicDetail, type Refusal } from '@baton/contract';

/** A refusal among other results of a function; nothing of the command takes effect. */
export interface Refused {
  readonly refused: Refusal;
}

/** Refuses with a sentence that names the way out. */
export function refuse(code: ErrorCode, message: string, detail?: PublicDetail): Refused {
  return { refused: refusal(code, message, detail) };
}
