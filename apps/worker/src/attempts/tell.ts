import { AppError, LIMITS, type Assignment } from '@baton/contract';
import { LinkClosed, type Ack } from '../link/counted-frames.ts';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import type { StopFile } from './files.ts';
import type { PendingReport, Report } from './report.ts';
import type { Uploader } from './uploads.ts';

/** What telling a report takes. */
export interface TellPorts {
  readonly link: Link;
  readonly uploader: Uploader;
  readonly log: Log;
}

/** What became of a report. `violation`: the result breaks a contract, in the validator's words. */
export type Told =
  | { readonly kind: 'done'; readonly why: string }
  | { readonly kind: 'violation'; readonly words: string };

/** Answers after which nothing more can be told of an attempt. */
const finalCodes = new Set(['stale_epoch', 'not_found', 'completion_conflict']);
const frameMarginBytes = 4 * 1024;
const wordsCharsMax = 16_000;

/** Sends files and report, however long the control plane is away. Rejects when `signal` fires. */
export async function tellReport(
  ports: TellPorts,
  it: Assignment,
  pending: PendingReport,
  signal: AbortSignal,
): Promise<Told> {
  for (const upload of pending.uploads) {
    try {
      await ports.uploader.add(it, upload, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Refused for good: the file stays on this machine, and the report is worth telling without it.
      const { name } = upload.about;
      ports.log.error({ error, attempt: it.attempt.id, name }, 'a file was not uploaded');
    }
  }
  const { report } = pending;
  if (report.kind !== 'complete') return sendEnd(ports, it, report, signal);
  return complete(ports, it, report, signal);
}

async function complete(
  ports: TellPorts,
  it: Assignment,
  report: Extract<Report, { kind: 'complete' }>,
  signal: AbortSignal,
): Promise<Told> {
  const { attempt, epoch } = { attempt: it.attempt.id, epoch: it.attempt.epoch };
  let { body } = report;
  if (Buffer.byteLength(JSON.stringify(body)) > LIMITS.frameBytesMax - frameMarginBytes) {
    const { contracts = {}, ...result } = body.result;
    for (const [key, data] of Object.entries(contracts)) {
      const frame = { type: 'output', attempt, body: { epoch, key, data } } as const;
      const ack = await answered(ports.link.request(frame), signal);
      if (ack.error !== null && finalCodes.has(ack.error.code))
        return refused(ports, it, ack.error);
      if (ack.error !== null) return violation(ack.error);
    }
    body = { ...body, result };
  }
  const frame = { type: 'complete', attempt, body: { ...body, epoch } } as const;
  const { error } = await answered(ports.link.request(frame), signal);
  if (error === null) return { kind: 'done', why: 'reported' };
  if (finalCodes.has(error.code)) return refused(ports, it, error);
  if (['contract_violation', 'unknown_contract', 'limit_exceeded'].includes(error.code)) {
    return violation(error);
  }
  ports.log.error({ error, attempt }, 'a result was refused');
  const reason = `The result was refused: ${error.detail}`;
  const { result: _result, ...rest } = body;
  return sendEnd(
    ports,
    it,
    { kind: 'fail', body: { ...rest, reason, failure_class: 'internal' } },
    signal,
  );
}

async function sendEnd(
  { link, log }: TellPorts,
  it: Assignment,
  report: Exclude<Report, { kind: 'complete' }>,
  signal: AbortSignal,
): Promise<Told> {
  const { attempt, epoch } = { attempt: it.attempt.id, epoch: it.attempt.epoch };
  const request =
    report.kind === 'release'
      ? link.request({ type: 'release', attempt, body: { epoch, reason: report.reason } })
      : link.request({ type: 'fail', attempt, body: { ...report.body, epoch } });
  const { error } = await answered(request, signal);
  if (error === null) return { kind: 'done', why: 'reported' };
  if (finalCodes.has(error.code) || report.kind === 'release') return refused({ log }, it, error);
  // Its result does not fit or is not understood: that it failed is the part that matters.
  const { reason, failure_class: failureClass } = report.body;
  const bare = { epoch, reason: reason.slice(0, wordsCharsMax), failure_class: failureClass };
  const again = await answered(link.request({ type: 'fail', attempt, body: bare }), signal);
  return again.error === null
    ? { kind: 'done', why: 'reported' }
    : refused({ log }, it, again.error);
}

function refused(
  { log }: Pick<TellPorts, 'log'>,
  it: Assignment,
  error: NonNullable<Ack['error']>,
): Told {
  log.warn({ error, attempt: it.attempt.id }, 'a report came too late or was refused');
  return { kind: 'done', why: error.code };
}

/** The validator's words, each violation on a line of its own. */
function violation(error: NonNullable<Ack['error']>): Told {
  const listed = error.facts['violations'];
  const violations = Array.isArray(listed) ? listed.map(String) : [];
  const unsaid = violations.filter((it) => !error.detail.includes(it));
  const words = [error.detail, ...unsaid.map((it) => `- ${it}`)].join('\n').slice(0, wordsCharsMax);
  return { kind: 'violation', words };
}

/** An answer, or the reason of `signal`, whichever comes first. */
async function answered(request: Promise<Ack>, signal: AbortSignal): Promise<Ack> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([request, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** True for what ends an attempt's telling without a fault: the daemon stops, or lets go of it. */
export function isEndOfTelling(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof LinkClosed;
}

/** A failure before or around the agent, as a report. */
export function failureReport(error: unknown): Report {
  if (!(error instanceof AppError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      kind: 'fail',
      body: { reason: reason.slice(0, wordsCharsMax), failure_class: 'internal' },
    };
  }
  const reason = error.message.slice(0, wordsCharsMax);
  return { kind: 'fail', body: { reason, failure_class: classOf(error) } };
}

/** Machines and outages are offered again without counting; what the task itself got wrong is not. */
function classOf({ code }: AppError): 'workspace' | 'environment' | 'agent_error' {
  switch (code) {
    case 'workspace_failed':
    case 'workspace_busy':
    case 'git_failed':
    // Another machine may have it: nobody is asked beforehand which paths exist there.
    case 'repo_not_found':
    case 'control_plane_unreachable':
    case 'store_unavailable':
    case 'draining':
    case 'no_coordinator':
    case 'timeout':
    case 'rate_limited':
      return 'workspace';
    case 'unknown_engine':
      return 'environment';
    default:
      return 'agent_error';
  }
}

/** The report of an attempt that was ended from outside before its agent said anything; undefined: it was not. */
export function stopReport(stop: StopFile | undefined): Report | undefined {
  if (stop === undefined) return undefined;
  if (stop.kind === 'release') return { kind: 'release', reason: stop.reason };
  return { kind: 'fail', body: { reason: stop.reason, failure_class: 'cancelled' } };
}
