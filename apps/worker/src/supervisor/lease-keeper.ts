import { request as requestHttp, type RequestOptions } from 'node:http';
import type { LaunchIdentity } from './records.ts';

/**
 * What the control plane said of the lease. `fenced`: somebody else may hold the task by now; `yielded`:
 * the agent is to end, and its task goes on later.
 */
export type LeaseAnswer = 'renewed' | 'fenced' | 'cancelled' | 'yielded' | 'unreachable';

const ANSWER_MS_MAX = 10_000;
const REPLY_BYTES_MAX = 64 * 1024;

/**
 * Renews an attempt's lease with its own token, for the time in which the daemon is away. Never throws:
 * an outage is `unreachable` and tried again, only the control plane's own word fences.
 */
export async function renewLease(identity: LaunchIdentity): Promise<LeaseAnswer> {
  const base = identity.server_url.replace(/\/+$/, '');
  const url = new URL(`${base}/api/v1/attempts/${identity.attempt_id}/heartbeat`);
  const request = url.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  const body = JSON.stringify({ epoch: identity.epoch });
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      authorization: `Bearer ${identity.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
    timeout: ANSWER_MS_MAX,
  };
  return new Promise((resolve) => {
    const call = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        if (text.length < REPLY_BYTES_MAX) text += part;
      });
      response.on('error', () => resolve('unreachable'));
      response.on('end', () => {
        resolve(readAnswer(response.statusCode ?? 0, text, identity.attempt_id));
      });
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve('unreachable'));
    call.end(body);
  });
}

function readAnswer(status: number, text: string, attemptId: string): LeaseAnswer {
  const reply = parseReply(text);
  if (status === 409)
    return reply.facts?.attempt_status === 'stopping' ? stopOf(reply.facts) : 'fenced';
  if (status === 401 || status === 404) return 'fenced';
  if (status < 200 || status > 299) return 'unreachable';
  if (isListed(reply.stale, attemptId)) return 'fenced';
  if (isListed(reply.cancel, attemptId)) return stopOf(reply);
  return 'renewed';
}

interface Reply {
  readonly cancel?: unknown;
  readonly stale?: unknown;
  readonly yields?: unknown;
  /** Of a refusal. */
  readonly facts?: { readonly attempt_status?: unknown; readonly yields?: unknown };
}

/** An empty answer renews too. */
function parseReply(text: string): Reply {
  try {
    return (JSON.parse(text) as Reply | null) ?? {};
  } catch {
    return {};
  }
}

function stopOf(it: { readonly yields?: unknown }): LeaseAnswer {
  return it.yields === true ? 'yielded' : 'cancelled';
}

function isListed(list: unknown, attemptId: string): boolean {
  return list === true || (Array.isArray(list) && list.includes(attemptId));
}
