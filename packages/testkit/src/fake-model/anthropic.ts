import { listOf, openEventStream, piecesOf, sendJson, stall, textOf, wordsOf } from './http.ts';
import type { EventStream, Reply } from './http.ts';
import { asRecord, fillSchema, nextMove, sampleOf } from './script.ts';
import type { FailureCounter, Move, Tool, Turn } from './script.ts';

type Body = Readonly<Record<string, unknown>>;
type Block =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
    };

const usage = {
  input_tokens: 1_200,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 300,
  output_tokens: 42,
};

/** Anthropic Messages, `POST /v1/messages`. */
export async function answerAnthropic(
  reply: Reply,
  body: Body,
  failures: FailureCounter,
): Promise<void> {
  const move = moveOf(body, failures);
  if (move.kind === 'fail') {
    const type = move.status === 429 ? 'rate_limit_error' : 'api_error';
    const error = { type, message: 'scripted failure' };
    return sendJson(reply, { type: 'error', error }, move.status);
  }
  const content: Block[] =
    move.kind === 'call'
      ? [
          { type: 'text', text: `Calling ${move.tool.name}.` },
          { type: 'tool_use', id: reply.id('toolu'), name: move.tool.name, input: move.args },
        ]
      : [{ type: 'text', text: move.text }];
  const stopReason = move.kind === 'call' ? 'tool_use' : 'end_turn';
  const message = {
    id: reply.id('msg'),
    type: 'message',
    role: 'assistant',
    model: body['model'],
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
  if (body['stream'] !== true) return sendJson(reply, message);
  const stream = openEventStream(reply);
  const send = (type: string, data: object = {}): Promise<void> =>
    stream.send(type, { type, ...data });
  const started = {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  await send('message_start', { message: started });
  if (move.kind === 'stall') {
    if (await stall(reply, move.seconds, () => send('ping'))) return;
  }
  for (const [index, block] of content.entries()) await sendBlock(stream, index, block);
  const delta = { stop_reason: stopReason, stop_sequence: null };
  await send('message_delta', { delta, usage: { output_tokens: 42 } });
  await send('message_stop');
  stream.end();
}

async function sendBlock(stream: EventStream, index: number, block: Block): Promise<void> {
  const start = block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} };
  const deltas =
    block.type === 'text'
      ? wordsOf(block.text).map((text) => ({ type: 'text_delta', text }))
      : piecesOf(JSON.stringify(block.input)).map((piece) => ({
          type: 'input_json_delta',
          partial_json: piece,
        }));
  await stream.send('content_block_start', {
    type: 'content_block_start',
    index,
    content_block: start,
  });
  for (const delta of deltas) {
    await stream.send('content_block_delta', { type: 'content_block_delta', index, delta });
  }
  await stream.send('content_block_stop', { type: 'content_block_stop', index });
}

function moveOf(body: Body, failures: FailureCounter): Move {
  const tools = toolsOf(body);
  const format = asRecord(asRecord(body['output_config'])['format'] ?? body['output_format']);
  if (format['schema'] !== undefined) {
    return { kind: 'say', text: JSON.stringify(sampleOf(format['schema'])) };
  }
  const choice = asRecord(body['tool_choice']);
  const chosen = tools.find((tool) => choice['type'] === 'tool' && tool.name === choice['name']);
  if (chosen !== undefined) {
    return { kind: 'call', tool: chosen, args: fillSchema(chosen.schema, {}) };
  }
  // A request without tools is the agent's own: a title, a summary.
  if (tools.length === 0) return { kind: 'say', text: 'Fake title' };
  return nextMove(turnsOf(body), tools, failures);
}

function toolsOf(body: Body): Tool[] {
  return listOf(body['tools'])
    .map(asRecord)
    .filter((tool) => tool['input_schema'] !== undefined)
    .map((tool) => ({ name: String(tool['name']), schema: asRecord(tool['input_schema']) }));
}

function turnsOf(body: Body): Turn[] {
  return listOf(body['messages'])
    .map(asRecord)
    .flatMap((message): Turn[] => {
      const content = message['content'];
      const blocks =
        typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
      return blocks.map(asRecord).flatMap((block): Turn[] => {
        if (message['role'] !== 'user') return [{ role: 'assistant' }];
        if (block['type'] === 'tool_result') {
          return [{ role: 'tool', text: textOf(block['content']) }];
        }
        return block['type'] === 'text' ? [{ role: 'user', text: String(block['text']) }] : [];
      });
    });
}
