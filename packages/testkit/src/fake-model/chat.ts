import { listOf, openEventStream, piecesOf, sendJson, stall, textOf, wordsOf } from './http.ts';
import type { Reply } from './http.ts';
import { asRecord, nextMove, parseScript, sampleOf } from './script.ts';
import type { FailureCounter, Move, Tool, Turn } from './script.ts';

type Body = Readonly<Record<string, unknown>>;

const usage = {
  prompt_tokens: 1_200,
  completion_tokens: 42,
  total_tokens: 1_242,
  prompt_tokens_details: { cached_tokens: 300 },
};

/** OpenAI Chat Completions, `POST /v1/chat/completions`. */
export async function answerChat(
  reply: Reply,
  body: Body,
  failures: FailureCounter,
): Promise<void> {
  const move = moveOf(body, failures);
  if (move.kind === 'fail') {
    const error = { message: 'scripted failure', type: 'server_error' };
    return sendJson(reply, { error }, move.status);
  }
  const head = {
    id: reply.id('chatcmpl'),
    created: Math.floor(Date.now() / 1_000),
    model: body['model'],
  };
  const call =
    move.kind === 'call'
      ? { id: reply.id('call'), name: move.tool.name, args: JSON.stringify(move.args) }
      : undefined;
  const text = move.kind === 'call' ? '' : move.text;
  const finish = call === undefined ? 'stop' : 'tool_calls';
  if (body['stream'] !== true) {
    const toolCalls = call === undefined ? {} : { tool_calls: [toolCallOf(call, call.args)] };
    const message = { role: 'assistant', content: call === undefined ? text : null, ...toolCalls };
    const choices = [{ index: 0, message, finish_reason: finish, logprobs: null }];
    return sendJson(reply, { ...head, object: 'chat.completion', choices, usage });
  }
  const stream = openEventStream(reply);
  const chunk = { ...head, object: 'chat.completion.chunk' };
  const send = (delta: object, finishReason: string | null = null): Promise<void> =>
    stream.send(null, {
      ...chunk,
      choices: [{ index: 0, delta, finish_reason: finishReason, logprobs: null }],
    });
  await send({ role: 'assistant', content: '' });
  if (move.kind === 'stall' && (await stall(reply, move.seconds, () => stream.comment()))) return;
  if (call === undefined) {
    for (const content of wordsOf(text)) await send({ content });
  } else {
    await send({ tool_calls: [{ index: 0, ...toolCallOf(call, '') }] });
    for (const piece of piecesOf(call.args)) {
      await send({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
  }
  await send({}, finish);
  await stream.send(null, { ...chunk, choices: [], usage });
  await stream.send(null, '[DONE]');
  stream.end();
}

function toolCallOf(call: { readonly id: string; readonly name: string }, args: string): object {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: args } };
}

function moveOf(body: Body, failures: FailureCounter): Move {
  const tools = listOf(body['tools'])
    .map((tool) => asRecord(asRecord(tool)['function']))
    .filter((tool) => typeof tool['name'] === 'string')
    .map((tool): Tool => ({ name: String(tool['name']), schema: asRecord(tool['parameters']) }));
  const turns = turnsOf(body);
  if (tools.length > 0) return nextMove(turns, tools, failures);
  const schema = asRecord(asRecord(body['response_format'])['json_schema'])['schema'];
  if (schema !== undefined) return { kind: 'say', text: JSON.stringify(sampleOf(schema)) };
  const last = turns.at(-1);
  const first = textOf(asRecord(listOf(body['messages'])[0])['content']);
  const isScripted = last?.role === 'user' && parseScript(last.text).length > 0;
  // A title is asked for with the whole prompt in the message.
  if (isScripted && !/title/i.test(first)) return nextMove(turns, tools, failures);
  return { kind: 'say', text: 'Fake title' };
}

function turnsOf(body: Body): Turn[] {
  return listOf(body['messages'])
    .map(asRecord)
    .map((message): Turn => {
      const text = textOf(message['content']);
      if (message['role'] === 'user') return { role: 'user', text };
      return message['role'] === 'tool' ? { role: 'tool', text } : { role: 'assistant' };
    });
}
