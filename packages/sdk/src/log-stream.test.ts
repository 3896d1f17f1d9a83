import { expect, test } from 'vitest';
import { decodeLogChunk } from './log-stream.ts';

test('bytes of a log that are no text are decoded', () => {
  const decoded = decodeLogChunk({
    attempt: 'att_1',
    stream: 'stdout',
    offset: 0,
    data: '/wD+',
    encoding: 'base64',
    at: '2030-01-01T00:00:00.000Z',
  });
  expect([...decoded.bytes]).toEqual([255, 0, 254]);
});
