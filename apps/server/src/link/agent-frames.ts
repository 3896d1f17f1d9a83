import type { Json } from '@baton/contract';
import type { App } from '../app.ts';
import { agentOf, awaitFor, childrenOf, spawnOnce } from '../delegation.ts';
import type { AgentFrame, Speaker } from './frame-commands.ts';

/** Carries out what an agent asks about the tasks that it hands on. @throws {AppError} */
export async function answerAgent(
  app: Pick<App, 'coordinator' | 'reads'>,
  speaker: Speaker,
  frame: AgentFrame,
): Promise<Json> {
  const connection = speaker.worker;
  switch (frame.type) {
    case 'spawn': {
      const { epoch, request, task } = frame.body;
      const agent = await agentOf(app, speaker, frame.attempt, epoch);
      return (await spawnOnce(app, agent, request, task, connection)) as Json;
    }
    case 'await': {
      const agent = await agentOf(app, speaker, frame.attempt, frame.body.epoch);
      return (await awaitFor(app, agent, frame.body, { connection })) as Json;
    }
    case 'children': {
      const agent = await agentOf(app, speaker, frame.attempt, 0);
      return { items: await childrenOf(app, agent.project, agent.task) } as Json;
    }
  }
}
