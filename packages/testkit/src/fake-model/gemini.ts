import { listOf, openEventStream, sendJson, stall, wordsOf } from './http.ts';
import type { Reply } from './http.ts';
import { asRecord, nextMove, sampleOf } from './script.ts';
import type { FailureCounter, Move, Tool, Turn } from './script.ts';

type Body = Readonly<Record<string, unknown>>;

const usageMetadata = {
  promptTokenCount: 1_200,
  candidatesTokenCount: 42,
  totalTokenCount: 1_242,
  cachedContentTokenCount: 300,
};

/** Gemini `generateContent`, `streamGenerateContent` and `countTokens`. */
export async function answerGemini(
  reply: Reply,
  body: Body,
  path: string,
  failures: FailureCounter,
): Promise<void> {
  if (path.endsWith(':countTokens')) return sendJson(reply, { totalTokens: 1_200 });
  const move = moveOf(body, failures);
  if (move.kind === 'fail') {
    const error = { code: move.status, message: 'scripted failure', status: 'INTERNAL' };
    return sendJson(reply, { error }, move.status);
  }
  const candidate = (parts: readonly object[], isLast: boolean): object => ({
    candidates: [
      {
        content: { role: 'model', parts },
        index: 0,
        ...(isLast ? { finishReason: 'STOP' } : {}),
      },
    ],
    modelVersion: 'fake',
    responseId: reply.id('gem'),
    ...(isLast ? { usageMetadata } : {}),
  });
  const call =
    move.kind === 'call'
      ? [{ functionCall: { name: move.tool.name, args: move.args } }]
      : undefined;
  const text = move.kind === 'call' ? '' : move.text;
  if (!path.includes('stream')) return sendJson(reply, candidate(call ?? [{ text }], true));
  const stream = openEventStream(reply);
  if (move.kind === 'stall') {
    await stream.send(null, candidate([{ text: 'thinking ' }], false));
    if (await stall(reply, move.seconds, () => stream.comment())) return;
  }
  if (call === undefined) {
    for (const word of wordsOf(text)) await stream.send(null, candidate([{ text: word }], false));
  }
  await stream.send(null, candidate(call ?? [{ text: '' }], true));
  stream.end();
}

function moveOf(body: Body, failures: FailureCounter): Move {
  const config = asRecord(body['generationConfig']);
  const schema = config['responseJsonSchema'] ?? config['responseSchema'];
  if (schema !== undefined) return { kind: 'say', text: JSON.stringify(sampleOf(schema)) };
  const tools = listOf(body['tools'])
    .flatMap((tool) => listOf(asRecord(tool)['functionDeclarations']))
    .map(asRecord)
    .map((tool): Tool => ({
      name: String(tool['name']),
      schema: asRecord(tool['parametersJsonSchema'] ?? tool['parameters']),
    }));
  if (tools.length === 0) return { kind: 'say', text: 'Fake title' };
  return nextMove(turnsOf(body), tools, failures);
}

function turnsOf(body: Body): Turn[] {
  return listOf(body['contents'])
    .map(asRecord)
    .flatMap((content) =>
      listOf(content['parts'])
        .map(asRecord)
        .map((part): Turn => {
          if (part['functionResponse'] !== undefined) {
            const response = asRecord(part['functionResponse'])['response'];
            return { role: 'tool', text: JSON.stringify(response) };
          }
          if (content['role'] === 'model') return { role: 'assistant' };
          return { role: 'user', text: typeof part['text'] === 'string' ? part['text'] : '' };
        }),
    );
}
