import type { Event } from '@baton/contract';
import { paint, show, type Shown } from '../terminal/shown.ts';

/** Names of the tasks of a run by id. */
export type KeyOf = (task: string) => string;

/**
 * An event as a sentence about its task or run, for people who look on. Undefined for those that say
 * nothing which another one does not say better.
 */
export function eventSentence(event: Event): Shown | undefined {
  const text = (name: string): string => {
    const value = event.data[name];
    return typeof value === 'string' ? value : '';
  };
  const count = (name: string): string => {
    const value = event.data[name];
    return typeof value === 'number' || typeof value === 'string' ? String(value) : '?';
  };
  const words = (name: string): string => {
    const value = event.data[name];
    return Array.isArray(value) && value.length > 0 ? value.map(String).join(', ') : 'nothing';
  };
  const because = text('reason') === '' ? '' : `: ${text('reason')}`;
  switch (event.type) {
    case 'run.started':
      return show`run started`;
    case 'run.waiting':
      return paint.yellow(waitingLine(text('reason')));
    case 'run.replanned':
      return show`plan version ${count('plan_version')}: ${words('added')} in place of ${words('superseded')}`;
    case 'run.resumed':
      return show`run goes on`;
    case 'run.reopened':
      return show`run reopened${because}`;
    case 'run.cancelling':
      return paint.yellow(show`run is being cancelled${because}`);
    case 'run.completed':
      return paint.green(show`run completed`);
    case 'run.failed':
      return paint.red(show`run failed${because}`);
    case 'run.cancelled':
      return paint.yellow(show`run cancelled${because}`);
    case 'run.delivering':
      return show`delivering the result`;
    case 'run.delivered':
      return paint.green(show`delivered${deliveryOf(event)}`);
    case 'run.delivery_refused':
      return paint.red(show`delivery refused${deliveryOf(event)}`);
    case 'task.ready':
      return show`ready${because}`;
    case 'task.assigned':
      return show`goes to worker ${text('worker_name')}`;
    case 'task.started':
      return paint.cyan(show`started on ${text('worker_name')}`);
    case 'task.progressed':
      return show`${progressOf(event)}`;
    case 'task.needs_human':
      return paint.yellow(show`asks: ${text('question')}`);
    case 'task.approved':
      return show`approved${because}`;
    case 'task.note_added':
      return show`note by ${text('author')}: ${text('text')}`;
    case 'task.resumed':
      return show`goes on`;
    case 'task.awaiting':
      return show`awaits ${count('needed')} of the tasks that it handed on`;
    case 'task.woken':
      return event.data['partial'] === true
        ? paint.yellow(show`is resumed with what has arrived`)
        : show`is resumed with what came of them`;
    case 'task.spawn_refused':
    case 'task.respawn_refused':
      return paint.yellow(show`may not hand that on${because}`);
    case 'task.respawn_forced':
      return paint.yellow(show`hands it on all the same (${text('code')})`);
    case 'task.breaker_tripped':
      return paint.red(show`failed ${count('failures')} times in a row: not tried again by itself`);
    case 'task.retrying':
      return paint.yellow(show`tries again${because}`);
    case 'task.verifying':
      return show`its result is being checked`;
    case 'verification.accepted':
      return show`accepted (${text('check')})`;
    case 'verification.rejected':
      return paint.yellow(show`rejected (${text('check')})${because}`);
    case 'gate.failed':
      return paint.yellow(show`the gate ${text('upstream')} does not open`);
    case 'task.completed':
      return paint.green(show`completed${summaryOf(event)}`);
    case 'task.failed':
      return paint.red(show`failed (${text('failure_class')})${because}`);
    case 'task.cancelled':
      return paint.yellow(show`cancelled${because}`);
    case 'task.skipped':
      return paint.dim(show`skipped${because}`);
    case 'task.outdated':
      return paint.yellow(show`outdated: ${text('upstream')} was done again`);
    case 'attempt.lost':
      return paint.yellow(show`its worker was lost${because}`);
    case 'attempt.stopping':
      return show`is being stopped${because}`;
    case 'checkpoint.resolved':
    case 'checkpoint.timed_out':
      return paint.green(show`${resolutionOf(event)}`);
    case 'contract.fulfilled':
      return show`hands on ${text('key')}`;
    default:
      return undefined;
  }
}

/** The sentence with its time and the name of its task, as a line of a log. */
export function eventLine(event: Event, keyOf: KeyOf): Shown | undefined {
  const sentence = eventSentence(event);
  if (sentence === undefined) return undefined;
  const who = event.task === null ? '' : keyOf(event.task);
  return show`${paint.dim(event.at.slice(11, 19))} ${paint.bold(who.padEnd(12))} ${sentence}`;
}

function recordIn(event: Event, name: string): Readonly<Record<string, unknown>> {
  const value = event.data[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function progressOf(event: Event): string {
  const percent = event.data['percent'];
  const text = event.data['text'];
  return `${typeof percent === 'number' ? `${percent}% ` : ''}${typeof text === 'string' ? text : ''}`;
}

function summaryOf(event: Event): string {
  const summary = recordIn(event, 'result')['summary'];
  if (typeof summary !== 'string') return '';
  const [first = ''] = summary.trim().split('\n').slice(-1);
  return first === '' ? '' : `: ${first}`;
}

function deliveryOf(event: Event): string {
  const { commit, branch, detail } = recordIn(event, 'delivery');
  const short = typeof commit === 'string' ? commit.slice(0, 12) : '';
  // The worker's own sentence says where it went, and why not.
  const words = typeof detail === 'string' ? detail : typeof branch === 'string' ? branch : '';
  if (words === '') return short === '' ? '' : `: ${short}`;
  return short === '' ? `: ${words}` : ` ${short}: ${words}`;
}

function resolutionOf(event: Event): string {
  const { option, text, by, via } = recordIn(event, 'resolution');
  const said = typeof option === 'string' ? option : typeof text === 'string' ? text : '';
  const who =
    via === 'timeout'
      ? 'nobody answered in time, the default is taken'
      : `answered by ${String(by)}`;
  return `${who}: ${said}`;
}

function waitingLine(reason: string): Shown {
  if (reason === 'replan_needed') return show`run waits for a new plan: baton run replan`;
  if (!reason.startsWith('review:')) return show`run waits for a person`;
  return show`run waits for a review of ${reason.slice('review:'.length)}: baton task review`;
}
