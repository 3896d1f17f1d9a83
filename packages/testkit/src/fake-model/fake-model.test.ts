import { afterEach, describe, expect, test } from 'vitest';
import { startFakeModel } from './fake-model.ts';
import type { FakeModel } from './fake-model.ts';
import { parseScript } from './script.ts';

let model: FakeModel | undefined;
afterEach(async () => {
  await model?.close();
  model = undefined;
});

const bash = {
  name: 'Bash',
  input_schema: { properties: { command: { type: 'string' } }, required: ['command'] },
};

async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  model ??= await startFakeModel();
  const response = await fetch(model.url + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

async function ask(content: unknown): Promise<Record<string, unknown>> {
  const messages = Array.isArray(content) ? content : [{ role: 'user', content }];
  const answer = await post('/v1/messages', { model: 'fake-1', messages, tools: [bash] });
  return { status: answer.status, ...(JSON.parse(answer.text) as object) };
}

describe('the fake model', () => {
  test('directives are read in order, whatever stands between', () => {
    expect(parseScript('do [[shell:a | b]] then\n[[ask]] and [[say:x\ny]] [[dance:z]]')).toEqual([
      { kind: 'shell', arg: 'a | b' },
      { kind: 'ask', arg: '' },
      { kind: 'say', arg: 'x\ny' },
    ]);
  });

  test('the prompt is played one call per round trip, then the final text', async () => {
    const user = { role: 'user', content: '[[shell:echo 1]] [[say:finished]]' };
    const call = { type: 'tool_use', name: 'Bash', input: { command: 'echo 1' } };
    expect((await ask([user]))['content']).toEqual([
      { type: 'text', text: 'Calling Bash.' },
      { ...call, id: expect.stringMatching(/^toolu_/) },
    ]);
    const result = { type: 'tool_result', tool_use_id: 't', content: '1' };
    const after = [
      user,
      { role: 'assistant', content: [call] },
      { role: 'user', content: [result] },
    ];
    expect((await ask(after))['content']).toEqual([{ type: 'text', text: 'finished' }]);
  });

  test('a command that has not ended is waited for, and counts as one step', async () => {
    const tools = ['exec_command', 'write_stdin'].map((name) => ({
      type: 'function',
      name,
      parameters: { properties: { cmd: { type: 'string' }, yield_time_ms: { type: 'number' } } },
    }));
    const user = { role: 'user', content: '[[shell:sleep 99]] [[shell:echo 2]]' };
    const played = async (...outputs: readonly string[]): Promise<unknown> => {
      const results = outputs.map((output) => ({ type: 'function_call_output', output }));
      const answer = await post('/v1/responses', { tools, input: [user, ...results] });
      const { output } = JSON.parse(answer.text) as {
        output: { name?: string; arguments?: string }[];
      };
      const call = output.find(({ name }) => name !== undefined);
      return [call?.name, JSON.parse(call?.arguments ?? '{}')];
    };
    const patience = { yield_time_ms: 30_000 };
    const running = 'Wall time: 30 seconds\nProcess running with session ID 7\nOutput:\n';
    expect(await played()).toEqual(['exec_command', { cmd: 'sleep 99', ...patience }]);
    const wait = ['write_stdin', { session_id: 7, chars: '', ...patience }];
    expect(await played(running)).toEqual(wait);
    expect(await played(running, running)).toEqual(wait);
    expect(await played(running, running, 'Process exited with code 0')).toEqual([
      'exec_command',
      { cmd: 'echo 2', ...patience },
    ]);
  });

  test('a scripted failure can end after some times', async () => {
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await ask('[[fail:429|2]]'))['status']);
    expect(statuses).toEqual([429, 429, 200]);
  });

  test.each([
    [
      '/v1/messages',
      { messages: [{ role: 'user', content: '[[say:hi]]' }], tools: [bash] },
      'message_stop',
    ],
    [
      '/v1/responses',
      { input: '[[say:hi]]', tools: [{ type: 'function', name: 'shell' }] },
      'response.completed',
    ],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: '[[say:hi]]' }] }, '[DONE]'],
    [
      '/v1beta/models/m:streamGenerateContent',
      {
        contents: [{ role: 'user', parts: [{ text: '[[say:hi]]' }] }],
        tools: [{ functionDeclarations: [{ name: 'x' }] }],
      },
      'finishReason',
    ],
  ])('%s streams the answer to its end', async (path, body, last) => {
    const answer = await post(path, { model: 'fake-1', stream: true, ...body });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('hi');
    expect(answer.text).toContain(last);
  });

  test('a client that leaves a stalled answer is told to the log', async () => {
    let aborted: (path: string) => void = () => undefined;
    const left = new Promise<string>((resolve) => {
      aborted = resolve;
    });
    model = await startFakeModel({
      log: (line) => 'aborted' in line && aborted(line.aborted),
    });
    const stop = new AbortController();
    const response = await fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      signal: stop.signal,
      body: JSON.stringify({
        stream: true,
        tools: [bash],
        messages: [{ role: 'user', content: '[[stall:60]]' }],
      }),
    });
    expect(response.status).toBe(200);
    stop.abort();
    expect(await left).toBe('/v1/messages');
  });
});
