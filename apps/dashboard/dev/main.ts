import { isTerminalTask } from '@baton/contract';
import { change, LOGIN_CODE } from './mock-api.ts';
import { activeScene, endedScenes, wideScene } from './scenes.ts';
import { serveMock } from './serve.ts';
import { agentLines, createWorld } from './world.ts';

// A control plane to look at pages with: `npx tsx apps/dashboard/dev/main.ts`, beside
// `BATON_DEV_API_URL=http://127.0.0.1:4665 npx vite` for the pages as they are being written.
const world = createWorld();
endedScenes(world);
wideScene(world, 60);
const run = activeScene(world);
const { url } = await serveMock(world, Number(process.env['PORT'] ?? 4665));
process.stdout.write(`${url}/login#${LOGIN_CODE}\n`);

let tick = 0;
setInterval(() => {
  tick += 1;
  for (const task of world.tasks.values()) {
    if (task.run !== run.id || task.status !== 'running') continue;
    if (task.attempt !== null) {
      world.say(
        task.attempt,
        'agent',
        agentLines({ type: 'message', text: `Step ${tick} is done.` }),
      );
      world.say(task.attempt, 'stdout', `step ${tick}\n`);
    }
    change(
      world,
      task,
      {
        progress: {
          percent: Math.min(99, tick * 3),
          text: `step ${tick}`,
          at: new Date().toISOString(),
        },
      },
      'task.progressed',
    );
  }
  const next = [...world.tasks.values()].find(
    (task) => task.run === run.id && task.status === 'ready',
  );
  if (tick % 5 === 0 && next !== undefined && !isTerminalTask(next.status)) {
    change(
      world,
      next,
      { status: 'running', worker_name: 'drill', started_at: new Date().toISOString() },
      'task.started',
    );
  }
}, 2_000);
