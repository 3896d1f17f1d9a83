import { taskWait, taskWaitReply } from '../await.ts';
import { route } from './route.ts';

/** Routes about work that waits for other work, and agents that hand work on. */
export const delegationRoutes = {
  waitTasks: route({
    method: 'POST',
    path: '/tasks/wait',
    area: 'tasks',
    summary: 'Wait until all, any or a quorum of tasks have ended; on timeout their current states',
    permission: 'read',
    body: taskWait,
    reply: taskWaitReply,
    kind: 'json',
    status: 200,
    errors: ['not_found', 'ambiguous'],
  }),
};
