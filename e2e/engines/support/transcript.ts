import { agentEvent, type AgentEvent, type Attempt } from '@baton/contract';
import type { Tower } from '../../support/tower.ts';

/** What an attempt's agent did, as it stands in its log stream `agent`; each line is checked. */
export async function transcriptOf(tower: Tower, attempt: string): Promise<AgentEvent[]> {
  const parts: Buffer[] = [];
  let cursor: string | undefined;
  do {
    const page = await tower.client.call('readAttemptLogs', {
      params: { id: attempt },
      query: { limit: 1_000, stream: 'agent', ...(cursor === undefined ? {} : { cursor }) },
    });
    for (const chunk of page.items) {
      parts.push(Buffer.from(chunk.data, chunk.encoding === 'base64' ? 'base64' : 'utf8'));
    }
    cursor = page.items.length === 0 ? undefined : (page.next_cursor ?? undefined);
  } while (cursor !== undefined);
  return Buffer.concat(parts)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => agentEvent.parse(JSON.parse(line)));
}

/** Attempts of a task, oldest first. */
export async function attemptsOf(tower: Tower, task: string): Promise<Attempt[]> {
  const { items } = await tower.client.call('listAttempts', { params: { id: task } });
  return items.toReversed();
}
