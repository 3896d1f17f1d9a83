import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { FakeControlPlane } from '../testing/fake-control-plane.ts';
import { LinkClosed } from './counted-frames.ts';
import { openLink, type Link, type LinkSettings } from './link.ts';

let plane: FakeControlPlane;
let link: Link;
beforeEach(async () => {
  plane = await FakeControlPlane.start();
  plane.keys.add('batw_good');
});
afterEach(async () => {
  link.stop();
  await plane.stop();
});

function connect(more: Partial<LinkSettings> = {}): Link {
  link = openLink({
    url: plane.url,
    key: () => 'batw_good',
    log: pino({ level: 'silent' }),
    hello: () => ({
      version: '1',
      slots: 1,
      labels: {},
      capabilities: { engines: [], repos: [], languages: [], tools: [], environments: [] },
      draining: false,
      attempts: [],
    }),
    beat: () => [],
    onFrame: () => undefined,
    onRefused: () => Promise.resolve(false),
    ...more,
  });
  return link;
}

const note = (text: string): Parameters<Link['request']>[0] => ({
  type: 'note',
  attempt: 'att_1',
  body: { epoch: 1, text },
});

describe('the link', () => {
  test('after a cut, sends again in order what was not acknowledged, once it is welcome', async () => {
    await connect().start();
    plane.answer = () => 'silence';
    const asked = [link.request(note('1')), link.request(note('2'))];
    await plane.until(() => plane.told('note').length === 2, 'two notes');
    plane.answer = () => undefined;
    plane.cut();
    asked.push(link.request(note('3')));
    await Promise.all(asked);
    const heard = plane.frames.map((it) => (it.type === 'note' ? it.body.text : it.type));
    expect(heard.filter((it) => it !== 'heartbeat')).toEqual([
      'hello',
      '1',
      '2',
      'hello',
      '1',
      '2',
      '3',
    ]);
    expect(plane.connections).toBe(2);
  });

  test('what is asked for while there is no control plane is answered when there is one', async () => {
    plane.isDown = true;
    expect(await connect().start()).toBe('unreachable');
    const asked = link.request(note('1'));
    plane.isDown = false;
    expect(await asked).toEqual({ error: null, body: null });
  });

  test('says when its key is refused, and takes another if there is one', async () => {
    expect(await connect({ key: () => 'batw_bad' }).start()).toBe('refused');
    link.stop();
    let key = 'batw_bad';
    const onRefused = (): Promise<boolean> => {
      key = 'batw_good';
      return Promise.resolve(true);
    };
    expect(await connect({ key: () => key, onRefused }).start()).toBe('welcome');
  });

  test('a fault in what it hands on does not end it', async () => {
    let heard = 0;
    await connect({
      onFrame() {
        heard += 1;
        throw new Error('a bug');
      },
    }).start();
    plane.send({ type: 'drain', draining: true });
    expect((await link.request(note('1'))).error).toBeNull();
    expect(heard).toBe(2);
  });

  test('beats as often as it was told, with all attempts even when little else fits', async () => {
    const attempts = Array.from({ length: 1_000 }, (_, index) => ({
      id: `att_${index}`,
      epoch: 1,
      progress: { text: 'x'.repeat(300) },
    }));
    await connect({ beat: () => attempts }).start();
    const beat = await plane.until(() => plane.told('heartbeat')[0], 'a beat');
    expect(beat.attempts).toHaveLength(1_000);
    expect(beat.attempts[0]).toEqual({ id: 'att_0', epoch: 1 });
  });

  test('is closed for good by stop: what waits is rejected, and so is what comes after', async () => {
    await connect().start();
    plane.answer = () => 'silence';
    const asked = link.request(note('1'));
    link.stop();
    await expect(asked).rejects.toBeInstanceOf(LinkClosed);
    await expect(link.request(note('2'))).rejects.toBeInstanceOf(LinkClosed);
  });
});
