import type { AgentEvent, AttemptActions } from '@baton/contract';
import { expect, test } from 'vitest';
import type { Link } from '../link/link.ts';
import { createActionLedger } from './action-ledger.ts';

const silent = { debug: () => undefined } as never;

function ledgerOver(answer: object | null = null) {
  const sent: AttemptActions['actions'][] = [];
  const link = {
    request: (frame: { body: AttemptActions }) => {
      sent.push(frame.body.actions);
      return Promise.resolve({ error: answer, body: null });
    },
  } as unknown as Link;
  const about = { attempt: 'att_1', epoch: 7, turn: 1 };
  return { sent, ledger: createActionLedger(link, about, silent) };
}
const called = (id: string): AgentEvent => ({
  type: 'tool_call',
  id,
  name: 'Bash',
  target: 'make',
  input: { command: 'make' },
});
const ended = (id: string, ok: boolean): AgentEvent => ({
  type: 'tool_result',
  id,
  ok,
  output: '',
  cut: false,
});

test('calls are told with how they ended, each once however much was said of it', async () => {
  const { sent, ledger } = ledgerOver();
  ledger.event(called('a'));
  ledger.event(called('b'));
  ledger.event(ended('a', false));
  ledger.event({ type: 'message', text: 'hello' });
  await ledger.flush();
  expect(sent.flat().map(({ call, status }) => [call, status])).toEqual([
    ['a', 'failed'],
    ['b', 'started'],
  ]);
  ledger.event(ended('b', true));
  await ledger.flush();
  expect(sent.flat().at(-1)).toMatchObject({
    call: 'b',
    status: 'succeeded',
    effect: 'local_write',
  });
});

test('nothing more is told for an attempt that does not hold its task any more', async () => {
  const { sent, ledger } = ledgerOver({ code: 'stale_epoch' });
  ledger.event(called('a'));
  await ledger.flush();
  ledger.event(called('b'));
  await ledger.flush();
  expect(sent).toHaveLength(1);
});
