import { describe, expect, it } from 'vitest';
import { lab as deliveryLab, type LabOptions } from './testing/delivery-lab.ts';
import { fails, fakeSink } from './testing/fake-sink.ts';
import { MemorySpool } from './testing/memory-spool.ts';

/** A sink that has accepted messages, and that a test takes away and gives back. */
function lab(options: LabOptions = {}) {
  const sink = options.sink ?? fakeSink();
  const internet = { isAway: false };
  sink.behave = () => (internet.isAway ? fails('unavailable') : undefined);
  return { ...deliveryLab({ hasAccepted: true, ...options, sink }), internet };
}

/** One that has been away for so long, with so many messages that wait. */
async function awayFor(ms: number, many: number, options: LabOptions = {}) {
  const made = lab(options);
  made.internet.isAway = true;
  made.delivery.start();
  await made.accept(many);
  await made.time.pass(ms);
  return made;
}

describe('after an outage', () => {
  it('one notice follows the messages that waited, for this sink only', async () => {
    const { internet, accept, time, isEmpty, sink, notices } = await awayFor(600_000, 20);
    await accept(4);
    internet.isAway = false;

    await time.until(() => isEmpty() && notices().length > 0);

    const [notice] = notices();
    expect(sink.arrived.get('key-0')?.slice(24)).toEqual([notice?.id]);
    const to = time.clock.now();
    expect(notice).toMatchObject({
      notice: 'gap',
      sink: 'pubsub',
      facts: {
        from: '2026-11-20T12:00:00.000Z',
        to: new Date(to).toISOString(),
        seconds: Math.round((to - Date.parse('2026-11-20T12:00:00Z')) / 1000),
        messages: 24,
      },
    });
  });

  it('of less than a minute no notice comes', async () => {
    const { internet, time, isEmpty, spool } = await awayFor(58_000, 20, {
      backOff: { firstMs: 1000, maxMs: 1000 },
    });
    internet.isAway = false;

    await time.until(isEmpty);
    await time.pass(3_600_000);

    expect(spool.next).toBe(21);
  });

  it('no second notice comes, though the notice itself waits', async () => {
    const { time, isEmpty, spool, sink } = await awayFor(100_000, 1);
    sink.behave = ([message]) => (message?.kind === 'notice' ? fails('unavailable') : undefined);
    await time.pass(3_600_000);
    sink.behave = () => undefined;

    await time.until(isEmpty);
    await time.pass(3_600_000);

    expect(spool.next).toBe(3);
  });

  it('a restart changes nothing: the wait is known from the age of messages', async () => {
    const before = await awayFor(300_000, 10);
    const stopping = before.delivery.stop();
    await before.time.pass(10_000);
    await stopping;
    const { spool, time } = before;
    await time.pass(600_000);

    const { delivery, isEmpty, notices } = lab({ spool, time });
    delivery.start();
    await time.until(() => isEmpty() && notices().length > 0);

    expect(notices()[0]?.facts).toMatchObject({
      from: '2026-11-20T12:00:00.000Z',
      seconds: 910,
      messages: 10,
    });
  });

  it('the next process sends the notice again when this one dies while sending it', async () => {
    const spool = new MemorySpool();
    const notify = () => new Promise<never>(() => undefined);
    const { internet, time, sink } = await awayFor(300_000, 10, { spool, notify });
    internet.isAway = false;
    await time.until(() => sink.arrived.get('key-0')?.length === 10);
    await time.settle();
    expect(spool.cursor('pubsub')).toBeLessThan(11);

    const next = lab({ spool, time });
    next.delivery.start();
    await time.until(() => next.notices().length > 0);

    expect(next.notices()[0]?.facts).toMatchObject({ from: '2026-11-20T12:00:00.000Z' });
  });

  it('a long backlog makes one notice, at its end', async () => {
    const sink = fakeSink({ messages: 10 });
    const window = { messages: 50, bytes: 2 ** 20 };
    const { accept, time, isEmpty, notices } = await awayFor(100_000, 300, { sink, window });
    sink.behave = () => time.pause(10_000);
    await time.pass(10_000);
    for (let i = 0; i < 20; i += 1) {
      await accept(1);
      await time.pass(10_000);
    }

    await time.until(() => isEmpty() && notices().length > 0);
    await time.pass(3_600_000);

    expect(notices()).toHaveLength(1);
    expect(notices()[0]?.facts.messages).toBeGreaterThan(300);
  });

  it('a flapping sink gets a notice at once, and then every ten minutes at most', async () => {
    const { internet, delivery, accept, time, spool, notices } = lab();
    delivery.start();
    const hour = 3600;

    for (let second = 0; second < hour; second += 100) {
      internet.isAway = true;
      await accept(1);
      await time.pass(90_000);
      internet.isAway = false;
      await time.pass(10_000);
    }
    await time.pass(hour * 1000);

    const sent = notices();
    expect(sent.length).toBeGreaterThan(4);
    expect(sent.length).toBeLessThanOrEqual(8);
    const sum = sent.reduce((all, { facts }) => all + Number(facts.messages), 0);
    expect(sum).toBe(36);
    expect(spool.cursor('pubsub')).toBe(spool.next);
  });

  it('a merged notice is sent before the service stops', async () => {
    const { internet, delivery, accept, time, spool } = lab();
    delivery.start();
    for (let i = 0; i < 2; i += 1) {
      internet.isAway = true;
      await accept(1);
      await time.pass(90_000);
      internet.isAway = false;
      await time.pass(30_000);
    }
    expect(spool.next).toBe(4);

    await delivery.stop();

    expect(spool.next).toBe(5);
  });

  it('the notice comes later when the spool does not take it now, and the place moves on meanwhile', async () => {
    const noticed: unknown[] = [];
    let isFull = true;
    const notify = async (gap: unknown) => {
      if (isFull) throw new Error('full');
      noticed.push(gap);
    };
    const { internet, time, spool, logged } = await awayFor(300_000, 10, { notify });
    internet.isAway = false;
    await time.pass(300_000);
    expect(spool.cursor('pubsub')).toBe(11);

    isFull = false;
    await time.pass(60_000);

    expect(noticed).toHaveLength(1);
    expect(noticed[0]).toMatchObject({ facts: { from: '2026-11-20T12:00:00.000Z', messages: 10 } });
    expect(
      logged.messages.filter((text) => text === 'gap notice could not be written'),
    ).toHaveLength(1);
  });
});

describe('a wall clock that jumps', () => {
  it.each(['2030-01-01T00:00:00Z', '1970-01-01T00:00:10Z'])(
    'to %s makes no outage, and no odd age',
    async (wall) => {
      const { internet, delivery, accept, time, isEmpty, spool } = await awayFor(5000, 5);
      time.clock.setWall(wall);
      await accept(5);
      await time.settle();
      expect(delivery.status().oldestSeconds).toBeCloseTo(5);
      internet.isAway = false;

      await time.until(isEmpty);
      await time.pass(60_000);

      expect(spool.next).toBe(11);
    },
  );

  it('does not change how long an outage was', async () => {
    const { internet, time, notices } = await awayFor(120_000, 5);
    time.clock.setWall('1970-01-01T00:05:00Z');
    internet.isAway = false;

    await time.until(() => notices().length > 0);

    const { seconds, from, to } = notices()[0]?.facts ?? {};
    expect(seconds).toBeGreaterThanOrEqual(120);
    expect(seconds).toBeLessThan(155);
    const apart = (Date.parse(String(to)) - Date.parse(String(from))) / 1000;
    expect(Math.round(apart)).toBe(seconds);
  });

  it('is not trusted before it was set', async () => {
    const { accept, time, spool } = lab();
    time.clock.setWall(5000);
    await accept(5);
    time.clock.setWall('2026-11-20T12:00:00Z');

    const { delivery, isEmpty } = lab({ spool, time });
    delivery.start();
    await time.until(isEmpty);
    await time.pass(60_000);

    expect(spool.next).toBe(6);
  });

  it('gives messages from before the start no negative age', async () => {
    const { delivery, accept, time, spool, internet, newDelivery } = lab();
    internet.isAway = true;
    await accept(5);
    time.clock.setWall(0);
    const next = newDelivery();

    next.start();
    await time.settle();

    expect(delivery.status().oldestSeconds).toBe(0);
    expect(next.status()).toMatchObject({ depth: 5, oldestSeconds: 0 });
    expect(spool.cursor('pubsub')).toBe(1);
  });
});
