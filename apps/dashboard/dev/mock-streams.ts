import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTerminalTask, type Task } from '@baton/contract';
import type { Call } from './mock-http.ts';
import { at, type World } from './world.ts';

function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': hello\n\n');
}

/** The feed, from a cursor on, live. */
export function streamEvents(world: World, { query, request, response }: Call): void {
  openStream(response);
  const last = request.headers['last-event-id'] ?? query.get('after') ?? '1.0';
  let sent = last === 'now' ? world.events.length : Number(String(last).split('.')[1]);
  const flush = (): void => {
    for (const event of world.events.slice(sent)) {
      response.write(
        `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
      );
    }
    sent = world.events.length;
  };
  follow(world, request, response, flush);
}

/** An attempt's output from its start, live. */
export function streamLogs(world: World, task: Task, { query, request, response }: Call): void {
  openStream(response);
  const attempt = query.get('attempt') ?? task.attempt ?? '';
  const sent = { stdout: 0, stderr: 0, agent: 0 };
  const flush = (): void => {
    const log = world.logs.get(attempt);
    for (const stream of ['agent', 'stdout', 'stderr'] as const) {
      const bytes = Buffer.from(log?.[stream] ?? '').subarray(sent[stream]);
      if (bytes.length === 0) continue;
      const chunk = {
        attempt,
        stream,
        offset: sent[stream],
        data: bytes.toString('base64'),
        encoding: 'base64',
        at: at(0),
      };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      sent[stream] += bytes.length;
    }
    if (isTerminalTask(world.tasks.get(task.id)?.status ?? 'completed')) {
      response.write('event: end\ndata: {}\n\n');
      response.end();
    }
  };
  follow(world, request, response, flush);
}

function follow(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  flush: () => void,
): void {
  const listener = (): void => {
    if (!response.writableEnded) flush();
  };
  world.listeners.add(listener);
  request.on('close', () => world.listeners.delete(listener));
  response.on('close', () => world.listeners.delete(listener));
  flush();
}
