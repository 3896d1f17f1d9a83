import { refuse, type JsonCall, type JsonReply } from './http-json.ts';
import type { OutboxAnswer } from './outbox.ts';
import type { Supervisor } from './supervise.ts';

const WAIT_SECONDS_MAX = 60;

/**
 * The daemon's side: `GET /state`, `POST /attach`, `POST /stop` {reason, grace_ms},
 * `GET /outbox?after=N&wait=s[&stuck=1]` (`stuck`: whether the caller knows the disk to be full),
 * `POST /answers` {answers}. Every call but `GET /state` says that the daemon lives.
 */
export async function answerDaemon(supervisor: Supervisor, call: JsonCall): Promise<JsonReply> {
  const route = `${call.method} ${call.path}`;
  if (route === 'GET /state') return { status: 200, body: supervisor.describe() };
  const handler = HANDLERS[route];
  if (handler === undefined)
    return refuse(404, 'not_found', `A supervisor does not serve ${route}.`);
  return supervisor.attached(async () => handler(supervisor, call));
}

type Handler = (supervisor: Supervisor, call: JsonCall) => Promise<JsonReply> | JsonReply;

const HANDLERS: Readonly<Record<string, Handler>> = {
  'POST /attach': (supervisor) => ({ status: 200, body: supervisor.describe() }),
  'POST /stop': stop,
  'GET /outbox': listOutbox,
  'POST /answers': takeAnswers,
};

function stop(supervisor: Supervisor, call: JsonCall): JsonReply {
  const body = (call.body ?? {}) as { reason?: unknown; grace_ms?: unknown };
  const detail = typeof body.reason === 'string' ? body.reason : '';
  const graceMs = typeof body.grace_ms === 'number' ? body.grace_ms : undefined;
  supervisor.stop('stopped', detail, graceMs);
  return { status: 202, body: supervisor.describe() };
}

async function listOutbox(supervisor: Supervisor, call: JsonCall): Promise<JsonReply> {
  const after = Number(call.query.get('after') ?? 0);
  const seconds = Math.min(Number(call.query.get('wait') ?? 0), WAIT_SECONDS_MAX);
  if (!Number.isInteger(after) || after < 0 || !Number.isFinite(seconds)) {
    return refuse(
      400,
      'bad_request',
      '`after` is a number of a request, `wait` a number of seconds.',
    );
  }
  const untilMs = performance.now() + seconds * 1000;
  const wasStuck = call.query.get('stuck') === '1';
  for (;;) {
    const entries = supervisor.outbox.list(after);
    const leftMs = untilMs - performance.now();
    const stuck = supervisor.isDiskFull;
    const isNews = entries.length > 0 || supervisor.exit !== undefined || stuck !== wasStuck;
    if (isNews || leftMs <= 0 || call.signal.aborted) {
      return { status: 200, body: { entries, exit: supervisor.exit ?? null, stuck } };
    }
    await supervisor.outbox.changed(leftMs, call.signal);
  }
}

function takeAnswers(supervisor: Supervisor, call: JsonCall): JsonReply {
  const { answers } = (call.body ?? {}) as { answers?: unknown };
  if (!Array.isArray(answers) || !answers.every(isAnswer)) {
    return refuse(400, 'bad_request', '`answers` is a list of {id, status, body}.');
  }
  const unknown = answers.filter((answer) => !supervisor.outbox.answer(answer));
  return { status: 200, body: { unknown: unknown.map((answer) => answer.id) } };
}

function isAnswer(value: unknown): value is OutboxAnswer {
  const it = value as Partial<OutboxAnswer> | null;
  return typeof it === 'object' && typeof it?.id === 'string' && Number.isInteger(it.status);
}
