/** A comment goes out after this much silence, so that both ends notice a dead connection. */
export const heartbeatMs = 15_000;
/** A client that takes nothing for this long is dropped; it resumes by the last id it got. */
const stalledMsMax = 60_000;

/** One server-sent message. `data` is one line of JSON. */
export function sseMessage(message: {
  readonly id?: string;
  readonly event?: string;
  readonly data: unknown;
}): string {
  const id = message.id === undefined ? '' : `id: ${message.id}\n`;
  const event = message.event === undefined ? '' : `event: ${message.event}\n`;
  return `${id}${event}data: ${JSON.stringify(message.data)}\n\n`;
}

/** Says nothing, keeps the connection. */
export const sseHeartbeat = ':\n\n';

/**
 * A response that sends what the generator yields, one piece at a time and never ahead of the client:
 * nothing is buffered beyond the piece in flight. Leaving ends the generator.
 */
export function sseResponse(pieces: AsyncGenerator<string, void, undefined>): Response {
  const encoder = new TextEncoder();
  let stalled: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stalled);
        const { value, done } = await pieces.next();
        if (done === true) {
          controller.close();
          return;
        }
        controller.enqueue(encoder.encode(value));
        stalled = setTimeout(() => {
          controller.error(new Error('the client takes nothing'));
          void pieces.return();
        }, stalledMsMax);
        stalled.unref();
      },
      async cancel() {
        clearTimeout(stalled);
        await pieces.return();
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  });
}
