import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { jsonObject } from './json.ts';

/** Who did it. `id` is a user, key, worker, or attempt id; `kernel` has none. */
export const actor = z.object({
  kind: z.enum(['user', 'key', 'worker', 'agent', 'kernel', 'timer']),
  id: z.string().nullable(),
  name: z.string().nullable(),
});
export type Actor = z.infer<typeof actor>;

/** Who wants to hear of an event, besides the feed that carries all. */
export type Audience = 'worker' | 'dashboard' | 'chat' | 'webhook';

interface EventRow {
  readonly data: readonly string[];
  readonly audience: readonly Audience[];
}

const seen = ['dashboard'] as const;
const told = ['dashboard', 'webhook'] as const;
const pushed = ['worker', 'dashboard'] as const;
const shouted = ['dashboard', 'chat', 'webhook'] as const;

/** Every event there is: the fields of its `data`, and its audience. Names are `noun.past`, never renamed. */
export const EVENTS = {
  'run.created': { data: ['goal', 'status', 'task_count'], audience: told },
  'run.started': { data: [], audience: told },
  'run.waiting': { data: ['reason'], audience: seen },
  'run.resumed': { data: [], audience: seen },
  'run.paused': { data: ['reason'], audience: seen },
  'run.replan_needed': { data: ['task', 'reason'], audience: shouted },
  'run.replanned': { data: ['plan_version', 'added', 'superseded'], audience: told },
  'run.limits_clamped': { data: ['limits'], audience: told },
  'run.reopened': { data: ['reason'], audience: told },
  'run.updated': { data: ['fields'], audience: seen },
  'run.deleted': { data: ['reason'], audience: told },
  'run.purged': { data: ['run'], audience: seen },
  'run.cancelling': { data: ['reason'], audience: seen },
  'run.completed': { data: ['summary'], audience: shouted },
  'run.failed': { data: ['reason'], audience: shouted },
  'run.cancelled': { data: ['reason'], audience: shouted },
  'run.delivering': { data: ['worker', 'order'], audience: pushed },
  'run.delivered': { data: ['delivery'], audience: shouted },
  'run.delivery_refused': { data: ['delivery'], audience: shouted },
  'task.created': { data: ['key', 'title', 'status', 'priority', 'parent'], audience: told },
  'task.spawn_refused': { data: ['limit', 'key', 'reason'], audience: seen },
  'task.respawn_refused': { data: ['code', 'chain', 'previous', 'reason'], audience: told },
  'task.respawn_forced': { data: ['code', 'chain', 'previous'], audience: told },
  'task.breaker_tripped': { data: ['chain', 'failures'], audience: shouted },
  'task.awaiting': {
    data: ['await', 'tasks', 'policy', 'needed', 'deadline_at', 'reason'],
    audience: seen,
  },
  'task.await_closed': { data: ['await', 'status'], audience: seen },
  'task.woken': { data: ['await', 'partial', 'ended', 'needed'], audience: seen },
  'task.blocked': { data: ['reason'], audience: seen },
  'task.unblocked': { data: ['key'], audience: told },
  'task.ready': { data: ['reason'], audience: seen },
  'task.assigned': { data: ['worker', 'worker_name', 'attempt', 'by', 'score'], audience: pushed },
  'task.assignment_changed': { data: ['worker_name', 'by'], audience: seen },
  'task.planning': { data: [], audience: seen },
  'task.plan_submitted': { data: ['plan', 'revision', 'checkpoint'], audience: shouted },
  'task.plan_approved': { data: ['reason'], audience: pushed },
  'task.plan_revised': { data: ['feedback'], audience: pushed },
  'task.started': { data: ['attempt', 'worker_name'], audience: told },
  'task.progressed': { data: ['percent', 'text'], audience: seen },
  'task.needs_human': { data: ['checkpoint', 'kind', 'question'], audience: shouted },
  'task.approved': { data: ['reason'], audience: seen },
  'task.note_added': { data: ['worker', 'note', 'author', 'text', 'urgent'], audience: pushed },
  'task.updated': { data: ['worker', 'fields', 'from_run'], audience: pushed },
  'task.resumed': { data: [], audience: seen },
  'task.paused': { data: ['reason'], audience: pushed },
  'task.verifying': { data: [], audience: seen },
  'task.retrying': {
    data: ['attempt', 'failure_class', 'reason', 'retry_at', 'counted'],
    audience: told,
  },
  'task.completed': { data: ['result'], audience: shouted },
  'task.failed': { data: ['failure_class', 'reason'], audience: shouted },
  'task.cancelled': { data: ['reason'], audience: told },
  'task.skipped': { data: ['reason'], audience: told },
  'task.superseded': { data: ['plan_version'], audience: seen },
  'task.relaunched': { data: ['generation', 'reason'], audience: told },
  'task.outdated': { data: ['upstream'], audience: seen },
  'task.reviewed': { data: ['state', 'note'], audience: told },
  'task.deleted': { data: ['key', 'reason'], audience: told },
  'task.purged': { data: ['task'], audience: seen },
  'task.status_update': { data: ['status', 'reason'], audience: ['worker'] },
  'attempt.claimed': {
    data: ['worker', 'worker_name', 'number', 'engine', 'epoch'],
    audience: seen,
  },
  'attempt.started': { data: ['pid'], audience: seen },
  'attempt.parked': { data: ['reason'], audience: seen },
  'attempt.resumed': { data: [], audience: seen },
  'attempt.stopping': {
    data: ['worker', 'reason', 'grace_seconds', 'yields'],
    audience: pushed,
  },
  'attempt.succeeded': { data: ['usage'], audience: seen },
  'attempt.failed': { data: ['failure_class', 'reason'], audience: told },
  'attempt.lost': { data: ['reason'], audience: told },
  'attempt.timed_out': { data: ['reason'], audience: told },
  'attempt.cancelled': { data: ['reason'], audience: seen },
  'attempt.released': { data: ['reason', 'worker'], audience: pushed },
  'attempt.orphaned': { data: ['reason', 'result'], audience: told },
  'attempt.adopted': { data: ['reason'], audience: told },
  /** Stands in the place of an event whose run or task was purged: positions stay dense. */
  'event.purged': { data: [], audience: [] },
  'checkpoint.opened': {
    data: ['checkpoint', 'kind', 'question', 'options', 'timeout_at'],
    audience: shouted,
  },
  'checkpoint.resolved': {
    data: ['checkpoint', 'worker', 'resolution'],
    audience: ['worker', 'dashboard', 'chat', 'webhook'],
  },
  'checkpoint.timed_out': {
    data: ['checkpoint', 'worker', 'resolution'],
    audience: ['worker', 'dashboard', 'chat', 'webhook'],
  },
  'checkpoint.cancelled': { data: ['checkpoint', 'worker', 'reason'], audience: pushed },
  'checkpoint.superseded': { data: ['checkpoint', 'worker', 'reason'], audience: pushed },
  'contract.fulfilled': { data: ['key', 'type', 'sha256'], audience: told },
  'contract.rejected': { data: ['key', 'violations'], audience: seen },
  'dependency.added': { data: ['upstream', 'downstream', 'type', 'contract_key'], audience: seen },
  'dependency.removed': {
    data: ['upstream', 'downstream', 'type', 'contract_key'],
    audience: seen,
  },
  'dependency.resolved': {
    data: ['upstream', 'downstream', 'type', 'contract_key'],
    audience: told,
  },
  'gate.failed': { data: ['upstream', 'reason'], audience: told },
  'verification.started': { data: ['check', 'by', 'attempt', 'commit'], audience: seen },
  'verification.accepted': { data: ['check', 'by', 'attempt', 'commit', 'reason'], audience: told },
  'verification.rejected': { data: ['check', 'by', 'attempt', 'commit', 'reason'], audience: told },
  'verification.dropped': { data: ['check', 'by', 'attempt', 'commit', 'reason'], audience: seen },
  'limit.set': { data: ['key', 'max_running', 'rate_per_minute', 'burst'], audience: seen },
  'limit.removed': { data: ['key'], audience: seen },
  'engine.parked': {
    data: ['engine', 'account', 'worker', 'worker_name', 'until', 'reason'],
    audience: told,
  },
  'engine.unparked': { data: ['engine', 'account', 'worker'], audience: seen },
  'budget.set': { data: ['scope', 'limit_usd', 'reserve_usd'], audience: seen },
  'budget.warned': { data: ['scope', 'limit_usd', 'spent_usd'], audience: shouted },
  'budget.exhausted': { data: ['scope', 'limit_usd', 'spent_usd'], audience: shouted },
  'artifact.added': { data: ['artifact', 'name', 'kind', 'size', 'sha256'], audience: told },
  'worker.registered': { data: ['name', 'labels', 'slots'], audience: told },
  'worker.updated': { data: ['name', 'fields'], audience: seen },
  'worker.online': { data: ['name'], audience: told },
  'worker.silent': { data: ['name'], audience: seen },
  'worker.offline': { data: ['name'], audience: shouted },
  'worker.draining': { data: ['name'], audience: seen },
  'worker.drained': { data: ['name'], audience: seen },
  'worker.undrained': { data: ['name'], audience: seen },
  'worker.removed': { data: ['name'], audience: seen },
} as const satisfies Record<string, EventRow>;

export type EventType = keyof typeof EVENTS;

/** The fields of `data` for one type of event. Values are JSON; a field may be absent. */
export type EventData<T extends EventType> = Partial<
  Record<(typeof EVENTS)[T]['data'][number], unknown>
>;

const eventTypes = Object.keys(EVENTS) as [EventType, ...EventType[]];

/**
 * One line of the append-only history. `pos` is dense over the whole feed, `run_seq` over its run.
 * `cursor` is `<incarnation>.<pos>`; give it as `Last-Event-ID` to resume behind this event.
 */
export const event = z.object({
  cursor: z.string(),
  pos: z.int(),
  run_seq: z.int().nullable(),
  project: anyId,
  run: anyId.nullable(),
  task: anyId.nullable(),
  attempt: anyId.nullable(),
  type: z.enum(eventTypes),
  actor,
  cause: z.string().nullable().describe('what led to it: a command or an event'),
  at: instant,
  data: jsonObject,
});
export type Event = z.infer<typeof event>;
