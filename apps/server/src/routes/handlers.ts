import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { referenceHandlers } from '../static/reference.ts';
import { artifactHandlers } from './artifacts.ts';
import { attemptHandlers } from './attempts.ts';
import { checkpointHandlers } from './checkpoints.ts';
import { databaseHandlers } from './database.ts';
import { delegationHandlers } from './delegation.ts';
import { eventHandlers } from './events.ts';
import { healthHandlers } from './health.ts';
import { lifeHandlers } from './life.ts';
import { runHandlers } from './runs.ts';
import { schedulingHandlers } from './scheduling.ts';
import { systemHandlers } from './system.ts';
import { taskStreamHandlers } from './task-streams.ts';
import { taskHandlers } from './tasks.ts';
import { workerHandlers } from './workers.ts';

/** A handler for every route of the table; one that is missing does not compile. */
export function createHandlers(app: App): Handlers {
  return {
    ...artifactHandlers(app),
    ...attemptHandlers(app),
    ...checkpointHandlers(app),
    ...databaseHandlers(app),
    ...delegationHandlers(app),
    ...eventHandlers(app),
    ...healthHandlers(app),
    ...lifeHandlers(app),
    ...referenceHandlers(app),
    ...runHandlers(app),
    ...schedulingHandlers(app),
    ...systemHandlers(app),
    ...taskHandlers(app),
    ...taskStreamHandlers(app),
    ...workerHandlers(app),
  };
}
