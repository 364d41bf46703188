/** Messages that may have arrived: sent completely, without an answer that says what became of them. */

import { SinkError } from '@skolo/alerts';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arrived } from '../state/arrived.ts';
import { type SteppedTime, steppedTime } from '../testing/stepped-time.ts';
import { alert, createLab, gap, lab, startedLab } from './testing/delivery-lab.ts';
import { type FakeSink, fails, fakeSink } from './testing/fake-sink.ts';
import { MemorySpool, untilKilled } from './testing/memory-spool.ts';

/** As HTTP sinks: each alert by itself, newest first. */
function pager(perMinute?: number): FakeSink {
  const sink = fakeSink({ name: 'pager', keys: 8, messages: 1, ...(perMinute && { perMinute }) });
  sink.groupOf = () => 'Hot';
  return sink;
}

function perhaps(): never {
  throw new SinkError('timeout', 'TIMEOUT', 'no response', { mayHaveArrived: true });
}

const sentIds = ({ calls }: FakeSink) => calls.flatMap(({ ids }) => ids);

describe('a message that may have arrived', () => {
  it('is repeated ever more rarely, at last every ten minutes, and is shown with its number', async () => {
    const sink = pager();
    const sentAt: number[] = [];
    sink.behave = () => {
      sentAt.push(Math.round(time.clock.uptime()));
      perhaps();
    };
    const { time, delivery, logged } = await startedLab(1, 1, { sink, hasAccepted: true });

    await time.pass(50_000);
    expect(delivery.status()).toMatchObject({
      depth: 1,
      doubtful: 3,
      detail: 'no response; the message may have arrived 3 times',
    });
    await time.pass(3_600_000);

    const gaps = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
    expect(gaps.slice(0, 8)).toEqual([15, 30, 60, 120, 240, 480, 600, 600]);
    expect(sentAt.length).toBeLessThan(13);
    expect(logged.messages).toEqual(['sink is not accepting messages']);
  });

  it('delays no other alert', async () => {
    const sink = pager();
    sink.behave = (sent) => (sent.some(({ id }) => id === 'm0') ? perhaps() : undefined);
    const { time, accept } = await startedLab(1, 1, { sink, hasAccepted: true });
    await time.pass(600_000);

    await accept(20, 1000);
    await time.pass(1000);

    expect([...sink.arrived.values()].flat()).toHaveLength(20);
  });

  it('is sent again at the usual pace after a failure without doubt', async () => {
    const sink = pager();
    let isConnected = true;
    sink.behave = () => (isConnected ? perhaps() : fails('unavailable'));
    const { time } = await startedLab(1, 1, { sink, hasAccepted: true });
    await time.settle();
    isConnected = false;
    await time.pass(300_000);
    const before = sink.calls.length;
    sink.behave = () => undefined;

    await time.pass(30_000);

    expect(before).toBeGreaterThan(10);
    expect(sink.arrived.get('key-0')?.[0]).toBe('m0');
  });

  it.each(['waits already', 'comes later', 'comes after hours'])(
    'three times is not sent again if a later one about its alert %s',
    async (when) => {
      const sink = pager();
      sink.behave = (sent) => (sent.some(({ id }) => id === 'm0') ? perhaps() : undefined);
      const { time, accept, isEmpty, logged, delivery } = await startedLab(1, 1, {
        sink,
        hasAccepted: true,
      });
      if (when === 'waits already') await accept(1);
      await time.pass(when === 'comes after hours' ? 7_200_000 : 44_000);
      expect(sentIds(sink)).not.toContain('m1');
      const times = sink.calls.length;
      if (when !== 'waits already') {
        await time.pass(10_000);
        await accept(1);
      }

      await time.pass(30_000);
      await time.pass(7_200_000);

      expect(sentIds(sink).filter((id) => id === 'm0')).toHaveLength(Math.max(3, times));
      expect(sink.arrived.get('key-0')).toEqual(['m1']);
      expect(isEmpty()).toBe(true);
      expect(delivery.status().doubtful).toBeUndefined();
      expect(delivery.status().failingSince).toBeUndefined();
      expect(logged.messages).toContain('message may have arrived, and is not sent again');
    },
  );

  it('three times is not sent again by the next process, though an earlier one still waits', async () => {
    const sink = pager();
    sink.behave = (sent) => (sent.some(({ id }) => id !== 'later') ? perhaps() : undefined);
    const arrived = new Arrived();
    const options = { sink, hasAccepted: true, arrived };
    const { time, accept, spool, delivery, newDelivery } = await startedLab(1, 1, options);
    await accept(1, 1000);
    await spool.append([JSON.stringify(alert('later', 'key-1', 0))]);
    await time.pass(100_000);
    expect(sink.arrived.get('key-1')).toEqual(['later']);
    expect(spool.cursor('pager')).toBe(1);
    const stopping = delivery.stop();
    await time.pass(10_000);
    await stopping;

    newDelivery().start();
    await time.pass(7_200_000);

    expect(sentIds(sink).filter((id) => id === 'm1')).toHaveLength(3);
  });

  it('twice is sent before the later ones about its alert', async () => {
    const sink = pager();
    sink.behave = () => (sink.calls.length <= 2 ? perhaps() : undefined);
    const { time, accept, isEmpty } = await startedLab(1, 1, { sink, hasAccepted: true });
    await accept(2);

    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual(['m0', 'm1', 'm2']);
  });

  it('makes room for a later one, whose own repetitions begin anew', async () => {
    const sink = pager();
    sink.behave = () => perhaps();
    const { time, accept } = await startedLab(1, 1, { sink, hasAccepted: true });
    await time.pass(1_000_000);
    await accept(1);
    await time.settle();
    const sentAt: number[] = [];
    sink.behave = () => {
      sentAt.push(Math.round(time.clock.uptime()));
      perhaps();
    };
    const begun = Math.round(time.clock.uptime());

    await time.pass(900_000);

    expect(sentAt.map((at) => at - begun)).toEqual([15, 45, 105, 225, 465]);
  });

  it('that is a notice waits for its turn, as do later notices', async () => {
    const sink = pager();
    sink.behave = () => perhaps();
    const { spool, time, delivery, isEmpty } = lab({ sink, hasAccepted: true });
    await spool.append(['one', 'two'].map((id) => gap({ id })));
    delivery.start();
    await time.pass(3_600_000);
    sink.behave = () => undefined;

    await time.until(isEmpty);

    expect([...sink.arrived.values()].flat()).toEqual(['one', 'two']);
  });

  it('that is a refresh is not repeated', async () => {
    const sink = pager();
    sink.behave = () => perhaps();
    const intake = {
      next: 1,
      refreshOf: (key: string) => ({ ...alert('refresh', key, 0), kind: 'refresh' as const }),
    };
    const { time, delivery, spool } = lab({ sink, hasAccepted: true, intake });
    delivery.start();
    delivery.refresh(['key-0']);

    await time.pass(3_600_000);

    expect(sentIds(sink)).toEqual(['refresh']);
    expect(delivery.status()).toMatchObject({ depth: 0 });

    sink.behave = () => undefined;
    intake.next = 2;
    await spool.append([JSON.stringify(alert('m1', 'key-1', 0))]);
    await time.pass(1000);
    expect(sink.arrived.get('key-1')).toEqual(['m1']);
    expect(delivery.status().failingSince).toBeUndefined();
  });

  it('when the service stopped, rests at the next start', async () => {
    const sink = pager();
    sink.behave = (_, __, signal) =>
      new Promise((_, reject) => {
        const error = new SinkError('unavailable', 'ABORTED', '', { mayHaveArrived: true });
        signal.addEventListener('abort', () => reject(error));
      });
    const arrived = new Arrived();
    const { time, delivery, newDelivery } = await startedLab(1, 1, {
      sink,
      hasAccepted: true,
      arrived,
    });
    await time.settle();
    const stopping = delivery.stop(1000);
    await time.pass(10_000);
    await stopping;
    sink.behave = () => undefined;

    newDelivery().start();
    await time.pass(10_000);
    expect(sink.calls).toHaveLength(1);
    await time.pass(10_000);

    expect(sink.arrived.get('key-0')).toEqual(['m0']);
  });
});

it('no message is sent again once a later one about its alert was sent, and the last one always arrives, whatever dies', async () => {
  const certain = fc.constantFrom('take', 'fail', 'reject');
  const outcome = fc.oneof({ weight: 5, arbitrary: fc.constant('perhaps') }, certain);
  const event = fc.oneof(
    fc.record({ kind: fc.constant('accept' as const), many: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('pass' as const), seconds: fc.integer({ max: 300, min: 1 }) }),
    // As ArrivedFile does soon after a message has arrived.
    fc.record({ kind: fc.constant('save' as const) }),
    fc.record({ kind: fc.constant('die' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(outcome, { maxLength: 60 }),
      fc.array(event, { maxLength: 20 }),
      async (given, events) => {
        const outcomes = [...given];
        const time = steppedTime();
        const spool = new MemorySpool();
        const disk = { ranges: '[]', doubts: '[]', cursor: 1 };
        const sent: { id: number; key: string }[] = [];
        const taken = new Set<number>();
        const late: number[] = [];
        const rejected: unknown[] = [];

        function begin() {
          const life = { isOver: false };
          const arrived = new Arrived(async () => save());
          spool.setCursor('pager', disk.cursor);
          arrived.ranges = JSON.parse(disk.ranges);
          arrived.doubts = new Map(JSON.parse(disk.doubts));
          const save = () => {
            if (life.isOver) return;
            disk.ranges = JSON.stringify(arrived.ranges);
            disk.doubts = JSON.stringify([...arrived.doubts]);
            disk.cursor = spool.cursor('pager') ?? 1;
          };
          const sink = pager();
          sink.behave = (messages, key) => {
            if (life.isOver) fails('unavailable');
            const [message] = messages;
            if (!message?.id.startsWith('m')) return;
            const id = Number(message.id.slice(1));
            const isLate = sent.some((before) => before.key === key && before.id > id);
            // What was accepted just before a crash may be sent again, with all that follows it.
            if (isLate && !taken.has(id)) late.push(id);
            sent.push({ id, key });
            const next = outcomes.shift() ?? 'take';
            if (next === 'perhaps') perhaps();
            if (next === 'fail') fails('unavailable');
            if (next === 'reject') fails('rejected');
            taken.add(id);
          };
          const made = createLab({
            deadLetters: { add: async (letters) => void rejected.push(...letters) },
            sink,
            spool,
            time,
            arrived,
            hasAccepted: true,
            spoolAs: () => untilKilled(spool, life),
          });
          made.delivery.start();
          return { ...made, life, save };
        }

        let process = begin();
        for (const happens of events) {
          if (happens.kind === 'accept') {
            await process.accept(happens.many, 2);
            disk.cursor = spool.cursor('pager') ?? 1;
          } else if (happens.kind === 'pass') {
            await time.pass(happens.seconds * 1000);
          } else if (happens.kind === 'save') process.save();
          else {
            process.life.isOver = true;
            const stopping = process.delivery.stop(100);
            await time.pass(10_000);
            await stopping;
            process = begin();
          }
        }
        for (let look = 0; look < 40; look += 1) await time.pass(300_000);
        process.life.isOver = true;
        const stopping = process.delivery.stop(100);
        await time.pass(10_000);
        await stopping;

        expect(late).toEqual([]);
        for (const key of ['key-0', 'key-1']) {
          const ids = sent.filter((each) => each.key === key).map(({ id }) => id);
          const last = Math.max(...ids);
          const isRejected = JSON.stringify(rejected).includes(`"id":"m${last}"`);
          if (ids.length > 0 && !isRejected) expect(taken).toContain(last);
        }
        expect(spool.cursor('pager')).toBe(spool.next);
      },
    ),
    runs(300),
  );
});

/** Accepts so many messages within a window that slides, or that begins at each full minute. Rejected ones count, too. */
function limited(
  sink: FakeSink,
  most: number,
  windowMs: number,
  kind: { slides: boolean; isTold: boolean },
) {
  const counts = { rejected: 0 };
  let requests: number[] = [];
  return {
    counts,
    behave(time: SteppedTime) {
      sink.behave = () => {
        const now = Math.round(time.clock.uptime() * 1000);
        const begin = kind.slides ? now - windowMs + 1 : now - (now % windowMs);
        requests = requests.filter((at) => at >= begin);
        requests.push(now);
        if (requests.length <= most) return;
        counts.rejected += 1;
        const left = Math.ceil(((requests[0] ?? now) + windowMs - now) / 1000);
        const options = kind.isTold ? { retryAfterSeconds: left } : {};
        throw new SinkError('quota', '429', 'too many requests', options);
      };
    },
  };
}

describe('the pace of a receiver', () => {
  it.each([
    [180, 120, true],
    [180, 120, false],
    [500, 120, true],
    [100, 60, true],
    [45, 20, true],
    [31, 30, false],
  ])(
    'delays a page by at most 65 s in a storm, without a 429: %i alerts, %i a minute',
    async (storm, perMinute, slides) => {
      const sink = pager(perMinute);
      const receiver = limited(sink, perMinute, 60_000, { slides, isTold: false });
      const time = steppedTime();
      receiver.behave(time);
      const { accept, isEmpty } = await startedLab(storm, storm, { sink, hasAccepted: true, time });
      const begun = time.clock.uptime();
      for (const seconds of [1, 10, 40]) {
        await time.pass(begun * 1000 + seconds * 1000 - time.clock.uptime() * 1000);
        const [page = ''] = await accept(1, 10_000 + seconds);
        const before = time.clock.uptime();
        await time.until(() => sentIds(sink).includes(page));
        expect(time.clock.uptime() - before).toBeLessThanOrEqual(65);
      }
      await time.until(isEmpty);

      expect(receiver.counts.rejected).toBe(0);
      expect(time.clock.uptime() - begun).toBeLessThan(61 * Math.ceil((storm + 3) / perMinute));
    },
  );

  it.each([
    ['120 a minute', 120, 60_000],
    ['one a second', 1, 1000],
    ['30 in half a minute', 30, 30_000],
  ])('is what its Retry-After says, if no other is known: %s', async (_, most, windowMs) => {
    const sink = pager();
    const receiver = limited(sink, most, windowMs, { slides: false, isTold: true });
    const time = steppedTime();
    receiver.behave(time);
    const { isEmpty, letters } = await startedLab(182, 182, { sink, hasAccepted: true, time });
    const begun = time.clock.uptime();

    await time.until(isEmpty);

    expect(letters).toEqual([]);
    // It grants as many in each window, and is asked again as soon as it said.
    expect(time.clock.uptime() - begun).toBeLessThan((2 + 182 / most) * (windowMs / 1000 + 1));
  });

  it.each([0, 1, 7, 30])('is perMinute after a short Retry-After, too: %d s', async (seconds) => {
    const sink = pager(10);
    const sentAt: number[] = [];
    sink.behave = () => {
      sentAt.push(time.clock.uptime());
      if (sentAt.length % 4 !== 0) return;
      throw new SinkError('quota', '429', 'too many requests', { retryAfterSeconds: seconds });
    };
    const { time, isEmpty } = await startedLab(40, 40, { sink, hasAccepted: true });

    await time.until(isEmpty);

    for (const at of sentAt) {
      const inMinute = sentAt.filter((other) => other >= at && other < at + 60);
      expect(inMinute.length).toBeLessThanOrEqual(10);
    }
  });

  it('sends first what came last while it has to wait: a critical one behind thousands', async () => {
    const sink = pager(20);
    const { time, accept } = await startedLab(100, 100, { sink, hasAccepted: true });
    await time.until(() => sink.calls.length >= 20);

    await time.pass(1000);
    await accept(3000, 3000);
    const [page = ''] = await accept(1, 10_000);
    const before = time.clock.uptime();
    await time.until(() => sentIds(sink).includes(page));

    expect(time.clock.uptime() - before).toBeLessThanOrEqual(65);
  });

  it('is the longest Retry-After of messages in flight together', async () => {
    const sink = pager();
    const sentAt: number[] = [];
    sink.behave = async () => {
      const place = sentAt.push(Math.round(time.clock.uptime()));
      if (place > 8) return;
      await time.pause(place * 10);
      throw new SinkError('quota', '429', 'later', { retryAfterSeconds: place * 20 });
    };
    const { time } = await startedLab(8, 8, { sink, hasAccepted: true });

    await time.pass(300_000);

    expect((sentAt[8] ?? 0) - (sentAt[0] ?? 0)).toBe(160);
  });
});

describe('a sink that has never accepted anything', () => {
  it.each(['unavailable', 'timeout', 'rejected', 'credentials', 'perhaps'] as const)(
    'is asked less and less: %s',
    async (reason) => {
      const sink = pager();
      sink.behave = () => (reason === 'perhaps' ? perhaps() : fails(reason));
      const { time } = await startedLab(3, 3, { sink });
      await time.pass(3_600_000);
      const first = sink.calls.length;
      await time.pass(3_600_000);

      expect(first).toBeLessThan(60);
      expect(sink.calls.length - first).toBeLessThanOrEqual(reason === 'perhaps' ? 18 : 13);
      expect(sink.calls.length - first).toBeGreaterThan(6);
    },
  );

  it('gets everything soon after it has accepted the first', async () => {
    const sink = pager();
    sink.behave = () => fails('rejected');
    const { time, letters } = await startedLab(50, 50, { sink });
    await time.pass(7_200_000);
    sink.behave = () => undefined;

    await time.pass(310_000);

    expect(letters).toEqual([]);
    expect([...sink.arrived.values()].flat().filter((id) => id.startsWith('m'))).toHaveLength(50);
  });
});
