import { listOf, openEventStream, piecesOf, sendJson, stall, textOf, wordsOf } from './http.ts';
import type { Reply } from './http.ts';
import { asRecord, nextMove, sampleOf } from './script.ts';
import type { FailureCounter, Move, Tool, Turn } from './script.ts';

type Body = Readonly<Record<string, unknown>>;
type Send = (type: string, data: object) => Promise<void>;

interface MessageItem {
  readonly type: 'message';
  readonly id: string;
  readonly text: string;
  readonly item: object;
}
interface CallItem {
  readonly type: 'function_call' | 'other';
  readonly id: string;
  readonly args: string;
  readonly item: object;
}
type Item = MessageItem | CallItem;

const usage = {
  input_tokens: 1_200,
  input_tokens_details: { cached_tokens: 300 },
  output_tokens: 42,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 1_242,
};

/** OpenAI Responses, `POST /v1/responses`. */
export async function answerResponses(
  reply: Reply,
  body: Body,
  failures: FailureCounter,
): Promise<void> {
  const move = moveOf(body, failures);
  if (move.kind === 'fail') {
    const error = { type: 'server_error', code: 'scripted', message: 'scripted failure' };
    return sendJson(reply, { error }, move.status);
  }
  const items = itemsOf(reply, move);
  const base = {
    id: reply.id('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1_000),
    model: body['model'],
    status: 'in_progress',
    output: [],
    parallel_tool_calls: false,
    tool_choice: 'auto',
    tools: [],
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    usage: null,
  };
  const done = { ...base, status: 'completed', output: items.map(({ item }) => item), usage };
  if (body['stream'] !== true) return sendJson(reply, done);
  const stream = openEventStream(reply);
  let sequence = 0;
  const send: Send = (type, data) =>
    stream.send(type, { type, sequence_number: sequence++, ...data });
  await send('response.created', { response: base });
  await send('response.in_progress', { response: base });
  if (move.kind === 'stall' && (await stall(reply, move.seconds, () => stream.comment()))) return;
  for (const [index, item] of items.entries()) await sendItem(send, index, item);
  await send('response.completed', { response: done });
  stream.end();
}

async function sendItem(send: Send, index: number, item: Item): Promise<void> {
  const place = { output_index: index };
  if (item.type === 'message') {
    const part = { item_id: item.id, ...place, content_index: 0 };
    const empty = { type: 'output_text', text: '', annotations: [] };
    const added = { ...item.item, status: 'in_progress', content: [] };
    await send('response.output_item.added', { ...place, item: added });
    await send('response.content_part.added', { ...part, part: empty });
    for (const delta of wordsOf(item.text)) {
      await send('response.output_text.delta', { ...part, delta });
    }
    await send('response.output_text.done', { ...part, text: item.text });
    await send('response.content_part.done', { ...part, part: { ...empty, text: item.text } });
  } else if (item.type === 'function_call') {
    const added = { ...item.item, arguments: '', status: 'in_progress' };
    await send('response.output_item.added', { ...place, item: added });
    const at = { item_id: item.id, ...place };
    for (const delta of piecesOf(item.args)) {
      await send('response.function_call_arguments.delta', { ...at, delta });
    }
    await send('response.function_call_arguments.done', { ...at, arguments: item.args });
  } else {
    await send('response.output_item.added', { ...place, item: item.item });
  }
  await send('response.output_item.done', { ...place, item: item.item });
}

function itemsOf(reply: Reply, move: Exclude<Move, { kind: 'fail' }>): Item[] {
  if (move.kind !== 'call') return [messageItem(reply, move.text)];
  return [messageItem(reply, `Calling ${move.tool.name}.`), callItem(reply, move)];
}

function messageItem(reply: Reply, text: string): MessageItem {
  const id = reply.id('msg');
  const content = [{ type: 'output_text', text, annotations: [] }];
  const item = { id, type: 'message', role: 'assistant', status: 'completed', content };
  return { type: 'message', id, text, item };
}

function callItem(reply: Reply, move: Extract<Move, { kind: 'call' }>): CallItem {
  const { tool, args } = move;
  const call = { call_id: reply.id('call'), status: 'completed' };
  const json = JSON.stringify(args);
  if (tool.type === 'custom') {
    const id = reply.id('ctc');
    const input = typeof args['input'] === 'string' ? args['input'] : json;
    return {
      type: 'other',
      id,
      args: json,
      item: { id, type: 'custom_tool_call', ...call, name: tool.name, input },
    };
  }
  if (tool.type === 'local_shell') {
    const id = reply.id('lsh');
    const action = { type: 'exec', command: args['command'], env: {} };
    return {
      type: 'other',
      id,
      args: json,
      item: { id, type: 'local_shell_call', ...call, action },
    };
  }
  const id = reply.id('fc');
  const namespace = tool.namespace === undefined ? {} : { namespace: tool.namespace };
  const item = {
    id,
    type: 'function_call',
    ...call,
    name: tool.name,
    ...namespace,
    arguments: json,
  };
  return { type: 'function_call', id, args: json, item };
}

function moveOf(body: Body, failures: FailureCounter): Move {
  const tools = toolsOf(listOf(body['tools']));
  const format = asRecord(asRecord(body['text'])['format']);
  const asSchema = (): Move => ({ kind: 'say', text: JSON.stringify(sampleOf(format['schema'])) });
  const wantsJson = format['type'] === 'json_schema';
  if (tools.length === 0) return wantsJson ? asSchema() : { kind: 'say', text: 'Fake title' };
  const move = nextMove(turnsOf(body), tools, failures);
  return wantsJson && move.kind === 'say' ? asSchema() : move;
}

function toolsOf(list: readonly unknown[], namespace?: string): Tool[] {
  return list.map(asRecord).flatMap((tool): Tool[] => {
    if (tool['type'] === 'namespace') return toolsOf(listOf(tool['tools']), String(tool['name']));
    if (tool['type'] === 'local_shell') {
      const schema = { properties: { command: { type: 'array' } } };
      return [{ name: 'local_shell', type: 'local_shell', schema }];
    }
    if (typeof tool['name'] !== 'string') return [];
    const own = {
      name: tool['name'],
      schema: asRecord(tool['parameters']),
      type: String(tool['type']),
    };
    return [namespace === undefined ? own : { ...own, namespace }];
  });
}

function turnsOf(body: Body): Turn[] {
  const input = body['input'];
  if (typeof input === 'string') return [{ role: 'user', text: input }];
  return listOf(input)
    .map(asRecord)
    .map((item): Turn => {
      if (item['role'] === 'user') return { role: 'user', text: textOf(item['content']) };
      const isResult = typeof item['type'] === 'string' && item['type'].endsWith('_output');
      return isResult ? { role: 'tool', text: textOf(item['output']) } : { role: 'assistant' };
    });
}
