/**
 * What an agent is told when its work goes on after a stop: in its old conversation these words are the
 * whole prompt, in a new one a section of it. What others wrote stands in fences, named as data.
 */
import { conclusionFence } from './conclusion.ts';
import { cutMiddle } from './cut.ts';

/** Bounds of what others add. */
const wordsCharsMax = 20_000;

/** The words for a `wake` document; any other shape is shown as it is. */
export function wakeWords(wake: unknown): string {
  const it = isRecord(wake) ? wake : {};
  switch (it['kind']) {
    case 'answer':
      return answerWords(it);
    case 'plan':
      return planWords(it);
    case 'feedback':
      return `Your work is not accepted as it is. Change it by this feedback:\n\n${fenced(textOf(it['text'] ?? it['note']) ?? '')}`;
    case 'await':
      return `What you waited for has ended (${textOf(it['status']) ?? 'met'}${it['partial'] === true ? ', not all of it' : ''}). These are the results:\n\n${fenced(JSON.stringify(it['results'] ?? [], null, 2), 'json')}`;
    case 'resume':
      return 'Your work was paused and goes on now. Look at what is in your working directory, then go on where you were.';
    default:
      return wake === null || wake === undefined
        ? 'Go on where you were.'
        : `Go on. This is what has come in meanwhile:\n\n${fenced(JSON.stringify(wake, null, 2), 'json')}`;
  }
}

/** What else has come since the conversation stopped. */
export interface WakeNews {
  readonly notes: readonly { readonly author: string; readonly text: string }[];
  /** The task's description, where it was changed. */
  readonly spec?: string;
}

/** The prompt that goes on with a conversation. */
export function buildWakePrompt(
  wake: unknown,
  taskKey: string,
  news: WakeNews = { notes: [] },
): string {
  const notes = news.notes.map(({ author, text }) => `${author} wrote to you:\n\n${fenced(text)}`);
  const changed =
    news.spec === undefined
      ? []
      : [`The task was changed meanwhile. What is to be done is now:\n\n${fenced(news.spec)}`];
  return `${[wakeWords(wake), ...changed, ...notes].join('\n\n')}

Go on with task ${taskKey} by this. What was said about outputs and reporting still holds. End your last message with the same \`${conclusionFence}\` block as before.
`;
}

function answerWords(it: Readonly<Record<string, unknown>>): string {
  const question = fenced(textOf(it['question']) ?? '');
  const said = textOf(it['answer']);
  const reason = textOf(it['reason']);
  const who =
    it['timed_out'] === true ? 'Nobody answered in time; the default is' : `The answer${by(it)} is`;
  return [
    `You asked:\n\n${question}`,
    said === undefined ? 'There is no answer.' : `${who}:\n\n${fenced(said)}`,
    reason === undefined ? '' : `With this remark:\n\n${fenced(reason)}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function planWords(it: Readonly<Record<string, unknown>>): string {
  if (it['option'] === 'approve') {
    const remark = textOf(it['reason']);
    const said = remark === undefined ? '' : ` With this remark:\n\n${fenced(remark)}`;
    return `Your plan is approved${by(it)}. Carry it out now.${said}`;
  }
  const feedback = textOf(it['text']) ?? textOf(it['reason']) ?? 'no reason was given';
  return `Your plan is not approved yet. Revise it by this feedback, hand it in again the same way, and change nothing before it is approved:\n\n${fenced(feedback)}`;
}

function by(it: Readonly<Record<string, unknown>>): string {
  const name = textOf(it['by']);
  return name === undefined ? '' : ` of ${name}`;
}

function fenced(text: string, language = 'text'): string {
  const body = cutMiddle(text.trim(), wordsCharsMax);
  const longest = Math.max(2, ...(body.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${body}\n${fence}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
