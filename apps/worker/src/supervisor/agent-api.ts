import { randomUUID } from 'node:crypto';
import { findJson } from '../spool/durable-file.ts';
import { refuse, type JsonCall, type JsonReply } from './http-json.ts';
import type { Supervisor } from './supervise.ts';

/** A waiting call returns within this, because agents' own clients cut longer ones. */
const WAIT_SECONDS_MAX = 50;
const WAIT_SECONDS_DEFAULT = 10;
const REQUEST_KIND = /^[a-z][a-z_.]{0,63}$/;
const REQUEST_ID = /^[\w:.-]{1,128}$/;

/**
 * The agent's side: `GET /task`, `POST /requests[?wait=s]` {id, kind, body} and
 * `GET /requests/<id>[?wait=s]`. A request is answered with the daemon's status and body, or with
 * 202 {pending, id} when there is no answer yet: it is on disk and will not be lost.
 */
export async function answerAgent(supervisor: Supervisor, call: JsonCall): Promise<JsonReply> {
  if (call.method === 'GET' && call.path === '/task') {
    const task = findJson(supervisor.paths.task);
    return task === undefined
      ? refuse(404, 'not_found', 'No task file.')
      : { status: 200, body: task };
  }
  if (call.method === 'POST' && call.path === '/requests') return acceptRequest(supervisor, call);
  const id = /^\/requests\/([^/]+)$/.exec(call.path)?.[1];
  if (call.method === 'GET' && id !== undefined) {
    const known = supervisor.outbox.find(decodeURIComponent(id));
    if (known === undefined) return refuse(404, 'not_found', `No request ${id} of this attempt.`);
    return awaitAnswer(supervisor, known.id, waitMs(call, 0), call.signal);
  }
  return refuse(
    404,
    'not_found',
    `An attempt's socket does not serve ${call.method} ${call.path}.`,
  );
}

async function acceptRequest(supervisor: Supervisor, call: JsonCall): Promise<JsonReply> {
  const it = typeof call.body === 'object' && call.body !== null ? call.body : {};
  const kind = 'kind' in it ? it.kind : undefined;
  const id = 'id' in it ? it.id : randomUUID();
  const body = 'body' in it ? it.body : {};
  if (typeof kind !== 'string' || !REQUEST_KIND.test(kind)) {
    return refuse(400, 'bad_request', '`kind` is a short lower-case name, such as progress.');
  }
  if (typeof id !== 'string' || !REQUEST_ID.test(id)) {
    return refuse(400, 'bad_request', '`id` is 1 to 128 letters, digits, and any of _ : . -');
  }
  const accepted = await supervisor.outbox.accept(id, kind, body);
  if (!accepted.ok && accepted.code === 'idempotency_conflict') {
    return refuse(409, accepted.code, `Request ${id} was made before with another content.`);
  }
  if (!accepted.ok && accepted.code === 'storage_full') {
    const detail = 'The disk of this machine is full: the request was not taken; try again later.';
    return refuse(507, accepted.code, detail);
  }
  if (!accepted.ok) {
    return refuse(422, accepted.code, 'This attempt has made too many requests.');
  }
  // Without a daemon nobody can answer now: the agent goes on, the request is on disk.
  const seconds =
    kind === 'checkpoint' || kind === 'plan' ? WAIT_SECONDS_MAX : WAIT_SECONDS_DEFAULT;
  const patienceMs = supervisor.isDaemonAttached ? waitMs(call, seconds) : 0;
  return awaitAnswer(supervisor, id, patienceMs, call.signal);
}

async function awaitAnswer(
  supervisor: Supervisor,
  id: string,
  patienceMs: number,
  signal: AbortSignal,
): Promise<JsonReply> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const answer = supervisor.outbox.findAnswer(id);
    if (answer !== undefined) return { status: answer.status, body: answer.body };
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0 || signal.aborted || supervisor.exit !== undefined) {
      return { status: 202, body: { pending: true, id } };
    }
    await supervisor.outbox.changed(leftMs, signal);
  }
}

function waitMs(call: JsonCall, defaultSeconds: number): number {
  const asked = Number(call.query.get('wait') ?? defaultSeconds);
  return Math.min(Number.isFinite(asked) ? Math.max(0, asked) : 0, WAIT_SECONDS_MAX) * 1000;
}
