import { z } from 'zod';
import { json } from './json.ts';
import { usage } from './result.ts';
import { FAILURE_CLASSES } from './statuses.ts';

/** Bounds of one agent event. Longer text is cut in the middle and says by how much. */
export const AGENT_EVENT_LIMITS = {
  textCharsMax: 32_000,
  outputCharsMax: 16_000,
  inputCharsMax: 16_000,
  targetCharsMax: 300,
  noticeCharsMax: 4_000,
  summaryCharsMax: 20_000,
} as const;

/** When the agent said it, if its stream tells. ISO 8601. */
const at = z.string().optional();
/** The tool call under which a sub-agent said or did this. */
const parent = z.string().optional();

const sessionEvent = z.strictObject({
  type: z.literal('session'),
  conversation: z.string().describe("the agent's own conversation id, for resume"),
  model: z.string().optional(),
  cwd: z.string().optional(),
  version: z.string().optional(),
  at,
});

const messageEvent = z.strictObject({ type: z.literal('message'), text: z.string(), parent, at });

const thinkingEvent = z.strictObject({ type: z.literal('thinking'), text: z.string(), parent, at });

const toolCallEvent = z.strictObject({
  type: z.literal('tool_call'),
  id: z.string(),
  name: z.string(),
  target: z.string().describe('what it acts on, in one line: a path, a command, a query'),
  input: json,
  parent,
  at,
});

const toolResultEvent = z.strictObject({
  type: z.literal('tool_result'),
  id: z.string().describe('of the tool call it answers'),
  ok: z.boolean(),
  exit_code: z.int().optional(),
  output: z.string(),
  cut: z.boolean().describe('the output was longer'),
  parent,
  at,
});

const usageEvent = z.strictObject({
  type: z.literal('usage'),
  ...usage.shape,
  input_tokens: usage.shape.input_tokens.describe('without those read from or written to a cache'),
  estimated: z.boolean().describe('the agent gave no final count for this attempt'),
  conversation: usage.optional().describe('total of the conversation, over all its attempts'),
  at,
});

const rateLimitEvent = z.strictObject({
  type: z.literal('rate_limit'),
  state: z.enum(['warning', 'retrying', 'rejected']),
  text: z.string(),
  resets_at: z.string().optional(),
  at,
});

const permissionDeniedEvent = z.strictObject({
  type: z.literal('permission_denied'),
  id: z.string().optional().describe('of the tool call that was refused'),
  tool: z.string(),
  target: z.string(),
  reason: z.string(),
  at,
});

const noticeEvent = z.strictObject({
  type: z.literal('notice'),
  level: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  at,
});

/**
 * Why an agent's run is taken as ended the way it is. `conversation_lost`: the conversation to resume
 * is not there, nothing was done; a start without it may go well.
 */
export const EXIT_REASONS = [
  'finished',
  'reported_error',
  'max_turns',
  'conversation_lost',
  'no_terminal_event',
  'exit_code',
  'signal',
  'stopped',
] as const;

/** How an agent's run ended, by its own terminal event and not by its exit code alone. */
export const agentOutcome = z.strictObject({
  type: z.literal('outcome'),
  status: z.enum(['ok', 'failed']),
  failure_class: z.enum(FAILURE_CLASSES).optional().describe('present exactly when failed'),
  summary: z.string(),
  exit_reason: z.enum(EXIT_REASONS),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  resets_at: z.string().optional().describe('when a rate limit ends, if the agent knew'),
  at,
});
export type AgentOutcome = z.infer<typeof agentOutcome>;

/**
 * What an agent did, the same for every engine. One JSON line each in the log stream `agent`.
 * Every `usage` event is the total of its attempt so far: the last one counts.
 */
export const agentEvent = z.discriminatedUnion('type', [
  sessionEvent,
  messageEvent,
  thinkingEvent,
  toolCallEvent,
  toolResultEvent,
  usageEvent,
  rateLimitEvent,
  permissionDeniedEvent,
  noticeEvent,
  agentOutcome,
]);
export type AgentEvent = z.infer<typeof agentEvent>;

/** The `usage` event: what an attempt used so far. */
export type AgentUsage = z.infer<typeof usageEvent>;
