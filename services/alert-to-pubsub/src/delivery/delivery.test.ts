import { SinkError } from '@skolo/alerts';
import { describe, expect, it } from 'vitest';
import { alert, gap, lab, startedLab } from './testing/delivery-lab.ts';
import { fails, fakeSink, hangs } from './testing/fake-sink.ts';

describe('a sink that works', () => {
  it('gets one message at once', async () => {
    const { time, sink, accept, delivery } = lab();
    delivery.start();
    await time.settle();
    const before = time.clock.uptime();

    await accept(1);
    await time.settle();

    expect(sink.calls).toEqual([{ key: 'key-0', ids: ['m0'] }]);
    expect(time.clock.uptime()).toBe(before);
  });

  it('gets all in order for each alert, in batches of the waiting messages', async () => {
    const { sink, time, isEmpty, sent, delivery } = await startedLab(100, 2);

    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual(Array.from({ length: 50 }, (_, i) => `m${2 * i}`));
    expect(sink.arrived.get('key-1')).toEqual(
      Array.from({ length: 50 }, (_, i) => `m${2 * i + 1}`),
    );
    expect(sink.calls).toHaveLength(10);
    expect(sent).toMatchObject({ messages: 100, batches: 10 });
    expect(delivery.status()).toEqual({ depth: 0, oldestSeconds: 0, setAside: 0 });
  });

  it('gets no more ordering keys at once than it takes, and each in turn', async () => {
    const sink = fakeSink({ keys: 3, messages: 5 });
    const { time, isEmpty } = await startedLab(200, 10, { sink });
    sink.behave = () => time.pause(100);

    await time.until(isEmpty);

    expect(sink.most).toBe(3);
    expect(sink.calls.slice(0, 10).map(({ key }) => key)).toEqual(
      Array.from({ length: 10 }, (_, i) => `key-${i}`),
    );
  });

  it('does not get the notices for others', async () => {
    const { spool, sink, time, delivery, isEmpty } = lab();
    const texts = [{ id: 'theirs', sink: 'pager' }, { id: 'ours', sink: 'pubsub' }, { id: 'all' }];
    await spool.append(texts.map(gap));

    delivery.start();
    await time.until(isEmpty);

    expect([...sink.arrived.values()].flat()).toEqual(['ours', 'all']);
  });

  it('gets the rest after a record that is no message, which is put in the dead letters', async () => {
    const { spool, sink, time, delivery, accept, letters, sent, isEmpty } = lab();
    await accept(1);
    await spool.append(['{"kind":"tea"}', 'not JSON']);
    await accept(1);

    delivery.start();
    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual(['m0', 'm1']);
    expect(letters.map(({ from, found }) => ({ from, found }))).toEqual([
      { from: 'pubsub', found: '{"kind":"tea"}' },
      { from: 'pubsub', found: 'not JSON' },
    ]);
    expect(sent.rejected).toBe(2);
  });
});

describe('a sink that is away', () => {
  it('is left alone for as long as it asks for, unless that is very long', async () => {
    const { sink, time } = await startedLab(1);
    const asked = [45, 0, 1e9];
    const calledAt: number[] = [];
    sink.behave = () => {
      calledAt.push(time.clock.uptime());
      const retryAfterSeconds = asked.shift();
      if (retryAfterSeconds === undefined) return;
      throw new SinkError('quota', '429', 'too much', { retryAfterSeconds });
    };

    await time.until(() => calledAt.length >= 4);

    const pauses = calledAt
      .slice(1, 4)
      .map((at, i) => Math.round((at - (calledAt[i] ?? 0)) * 10) / 10);
    expect(pauses).toEqual([45, 0.2, 300]);
  });

  it('is tried with one ordering key at a time, with longer and longer pauses up to a bound', async () => {
    const sink = fakeSink();
    sink.behave = () => fails('unavailable');
    const { time } = await startedLab(100, 4, { sink, hasAccepted: true });
    await time.settle();
    expect(sink.calls).toHaveLength(4);

    const gaps: number[] = [];
    for (let i = 0; i < 11; i += 1) {
      const [before, calls] = [time.clock.uptime(), sink.calls.length];
      await time.until(() => sink.calls.length > calls);
      expect(sink.calls).toHaveLength(calls + 1);
      gaps.push(time.clock.uptime() - before);
    }

    expect(gaps.map((gap) => Math.round(gap * 10) / 10)).toEqual([
      0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30,
    ]);
  });

  it('gets everything in order once it is back', async () => {
    const sink = fakeSink();
    let isAway = true;
    sink.behave = () => (isAway ? fails('unavailable') : undefined);
    const { time, accept, ids, isEmpty, delivery } = await startedLab(8, 1, { sink });
    await time.pass(20_000);
    expect(delivery.status()).toMatchObject({
      depth: 8,
      reason: 'unavailable',
      detail: 'it is unavailable',
      failingSince: Date.parse('2026-11-20T12:00:00Z'),
    });
    const more = await accept(5);

    isAway = false;
    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual([...ids, ...more]);
    expect(delivery.status().failingSince).toBeUndefined();
  });

  it('is logged once, and once when it is back', async () => {
    const sink = fakeSink();
    let reason: 'unavailable' | 'permission' | undefined = 'unavailable';
    sink.behave = () => (reason === undefined ? undefined : fails(reason));
    const { time, logged, isEmpty, failures } = await startedLab(3, 1, { sink });

    await time.pass(100_000);
    reason = 'permission';
    await time.pass(100_000);
    reason = undefined;
    await time.until(isEmpty);

    expect(logged.messages).toEqual([
      'sink is not accepting messages',
      'sink is not accepting messages',
      'sink is accepting messages again',
    ]);
    expect(new Set(failures.map((failure) => failure.reason))).toEqual(
      new Set(['unavailable', 'permission']),
    );
  });

  it('is logged once for each reason, however often they take turns', async () => {
    const sink = fakeSink();
    sink.behave = () => fails(sink.calls.length % 2 === 0 ? 'timeout' : 'unavailable');
    const { time, logged } = await startedLab(3, 1, { sink });

    await time.pass(3_600_000);

    expect(logged.messages).toHaveLength(2);
  });

  it('does not cause reads of the spool before it is tried again, whatever is accepted meanwhile', async () => {
    const sink = fakeSink();
    sink.groupOf = sink.orderingKeyOf;
    sink.behave = (_messages, _key, signal) =>
      sink.calls.length > 8 ? hangs(signal) : fails('unavailable');
    const { spool, time, accept } = await startedLab(1, 1, { sink, hasAccepted: true });
    await time.until(() => sink.calls.length === 8);
    let reads = 0;
    const all = spool.read.bind(spool);
    spool.read = (from) => {
      reads += 1;
      return all(from);
    };

    for (let i = 0; i < 50; i += 1) {
      await accept(1, 50);
      await time.settle();
    }
    const whileItRests = reads;
    await time.until(() => sink.calls.length === 9);
    const beforeItIsTried = reads - whileItRests;
    for (let i = 0; i < 50; i += 1) {
      await accept(1, 50);
      await time.settle();
    }

    expect(whileItRests).toBe(0);
    expect(beforeItIsTried).toBe(1);
    expect(reads - beforeItIsTried).toBe(0);
  });

  it('costs no more memory than the window: what exceeds it is read again', async () => {
    const sink = fakeSink({ messages: 1 });
    sink.groupOf = sink.orderingKeyOf;
    let isAway = true;
    sink.behave = () => (isAway ? fails('unavailable') : undefined);
    const window = { messages: 50, bytes: 2 ** 20 };
    const { spool, time, isEmpty, delivery, accept } = lab({ sink, window });
    const ids = await accept(1000, 1000);
    const reads = new Map<number, number>();
    const all = spool.read.bind(spool);
    spool.read = async function* (from) {
      for await (const record of all(from)) {
        reads.set(record.seq, (reads.get(record.seq) ?? 0) + 1);
        yield record;
      }
    };
    delivery.start();

    await time.pass(60_000);
    expect(delivery.status().depth).toBe(1000);
    isAway = false;
    await time.until(() => isEmpty() && spool.next === 1002);

    const arrived = [...sink.arrived.values()].flat().filter((id) => id.startsWith('m'));
    expect(arrived.toSorted()).toEqual(ids.toSorted());
    const again = [...reads].filter(([seq, times]) => times > 1 && seq <= 1000);
    expect(again.length).toBeGreaterThanOrEqual(950);
  });

  it.each([
    ['an HTTP sink', 8, 1],
    ['a file', 1, 1000],
  ])(
    'gets no more large messages at once than fit into the window: %s',
    async (_, keys, messages) => {
      const sink = fakeSink({ keys, messages });
      if (messages === 1) sink.groupOf = sink.orderingKeyOf;
      let isAway = true;
      let most = 0;
      sink.behave = async (sent) => {
        if (isAway) fails('unavailable');
        most = Math.max(most, messages === 1 ? sink.underWay : sent.length);
        await time.pause(1000);
      };
      const window = { messages: 1000, bytes: 2 ** 20 };
      const { spool, time, isEmpty, delivery } = lab({ sink, window });
      const ids = Array.from({ length: 30 }, (_, i) => `m${i}`);
      const texts = ids.map((id) => {
        const message = alert(id, messages === 1 ? id : 'key-0', time.clock.now());
        message.alert.annotations = { text: 'x'.repeat(300_000) };
        message.alert.labels.id = id;
        return JSON.stringify(message);
      });
      await spool.append(texts);
      delivery.start();
      await time.pass(60_000);
      isAway = false;
      await time.until(isEmpty);

      const arrived = [...sink.arrived.values()].flat().filter((id) => id.startsWith('m'));
      expect(arrived.toSorted()).toEqual(ids.toSorted());
      expect(most).toBeLessThanOrEqual(4);
    },
  );

  it('gets at once the alert that reports rejections, from behind a full window, and then the others in order', async () => {
    const sink = fakeSink();
    let isAway = true;
    sink.behave = () => (isAway ? fails('unavailable') : undefined);
    const window = { messages: 50, bytes: 2 ** 20 };
    const { spool, time, isEmpty, delivery, accept } = lab({ sink, window });
    const ids = await accept(1000, 20);
    for (const id of ['u1', 'u2']) {
      const urgent = alert(id, 'key-99', time.clock.now());
      urgent.alert.labels.alertname = 'AlertsRejected';
      await spool.append([JSON.stringify(urgent)]);
      await accept(100, 20);
    }
    delivery.start();
    await time.pass(20_000);
    const before = sink.calls.length;
    isAway = false;
    await time.until(isEmpty);

    expect(sink.calls.slice(before, before + 4)).toContainEqual({
      key: 'key-99',
      ids: ['u1', 'u2'],
    });
    expect(sink.arrived.get('key-99')).toEqual(['u1', 'u2']);
    expect(sink.arrived.get('key-7')?.slice(0, 50)).toEqual(ids.filter((_, n) => n % 20 === 7));
  });

  it('is aborted when it hangs, and tried again', async () => {
    const sink = fakeSink();
    let isHanging = true;
    sink.behave = (_, __, signal) => (isHanging ? hangs(signal) : undefined);
    const { time, failures, ids, isEmpty } = await startedLab(3, 1, { sink, sendWithinMs: 20_000 });

    await time.pass(21_000);
    expect(failures[0]).toEqual({ reason: 'timeout', code: 'NO_ANSWER' });

    isHanging = false;
    await time.until(isEmpty);
    expect(sink.arrived.get('key-0')).toEqual(ids);
  });

  it('may have taken what it did not acknowledge: duplicates, in order', async () => {
    const sink = fakeSink({ messages: 3 });
    let calls = 0;
    sink.behave = (messages, key) => {
      calls += 1;
      if (calls % 2 === 1) {
        sink.arrive(messages, key);
        fails('timeout');
      }
    };
    const { time, ids, isEmpty } = await startedLab(20, 1, { sink });

    await time.until(isEmpty);

    const arrived = sink.arrived.get('key-0') ?? [];
    expect(arrived.length).toBeGreaterThan(20);
    expect([...new Set(arrived)]).toEqual(ids);
  });
});

describe('a message that the sink rejects', () => {
  it('is found, put in the dead letters and passed over', async () => {
    const sink = fakeSink({ messages: 16 });
    const poison = new Set(['m3', 'm11', 'm12']);
    sink.behave = (messages) => {
      if (messages.some(({ id }) => poison.has(id))) fails('rejected', 'INVALID_ARGUMENT');
    };
    const { time, ids, isEmpty, letters, sent, spool } = await startedLab(40, 1, { sink });

    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual(ids.filter((id) => !poison.has(id)));
    expect(letters.map(({ found }) => found)).toMatchObject([
      { id: 'm3' },
      { id: 'm11' },
      { id: 'm12' },
    ]);
    expect(letters[0]).toMatchObject({ from: 'pubsub', why: 'it is rejected' });
    expect(sent.rejected).toBe(3);
    expect(spool.cursor('pubsub')).toBe(41);
  });

  it('stays where it is until the dead letters have it', async () => {
    const sink = fakeSink();
    sink.behave = (messages) => {
      if (messages[0]?.id === 'm0') fails('rejected');
    };
    let isFull = true;
    const kept: unknown[] = [];
    const add = async (letters: unknown[]) => {
      if (isFull) throw new Error('disk full');
      kept.push(...letters);
    };
    const { time, isEmpty, spool, delivery } = await startedLab(2, 1, {
      sink,
      deadLetters: { add },
      hasAccepted: true,
    });

    await time.pass(30_000);
    expect(spool.cursor('pubsub')).toBe(1);
    expect(delivery.status()).toMatchObject({ reason: 'disk', setAside: 0 });
    isFull = false;
    await time.until(isEmpty);
    expect(kept).toHaveLength(1);
    expect(sink.arrived.get('key-0')).toEqual(['m1']);
  });
});

describe('its place in the spool', () => {
  it('is the first message that has not arrived, though others have', async () => {
    const sink = fakeSink();
    sink.behave = (_, key) => (key === 'key-2' ? fails('timeout') : undefined);
    const { time, sent, spool, delivery } = await startedLab(40, 4, { sink });

    await time.until(() => sent.messages === 30);

    expect(spool.cursor('pubsub')).toBe(3);
    expect(delivery.status().depth).toBe(10);
  });

  it('is where the next process continues', async () => {
    const sink = fakeSink({ messages: 5 });
    const { time, ids, spool, delivery, newDelivery } = await startedLab(60, 1, { sink });
    sink.behave = (_, __, signal) => (sink.calls.length > 4 ? hangs(signal) : undefined);
    await time.settle();

    const stopping = delivery.stop();
    await time.until(() => sink.underWay === 0);
    await stopping;
    expect(spool.cursor('pubsub')).toBe(21);
    sink.behave = () => undefined;
    const next = newDelivery();
    next.start();
    await time.until(() => spool.cursor('pubsub') === spool.next);

    expect(sink.arrived.get('key-0')).toEqual(ids);
  });

  it('advances with sends that end while the delivery stops', async () => {
    const sink = fakeSink();
    const { time, spool, delivery } = await startedLab(3, 1, { sink });
    sink.behave = () => time.pause(2000);
    await time.settle();

    const stopping = delivery.stop();
    await time.pass(3000);
    await stopping;

    expect(spool.cursor('pubsub')).toBe(4);
    expect(time.pauses()).toEqual([]);
  });

  it('stays when the sink ignores the abort', async () => {
    const sink = fakeSink();
    const answer = Promise.withResolvers<void>();
    sink.behave = () => answer.promise;
    const { time, spool, delivery } = await startedLab(3, 1, { sink });
    await time.settle();

    const stopping = delivery.stop();
    await time.pass(60_000);
    await stopping;
    answer.resolve();
    await time.settle();

    expect(spool.cursor('pubsub')).toBe(1);
  });

  it('begins with the oldest message, or at the given place', async () => {
    const { spool, accept, newDelivery } = lab();
    await accept(5);
    const { delivery: placed } = lab({ spool, sink: fakeSink({ name: 'pager' }), from: 4 });

    newDelivery().start();
    placed.start();

    expect([spool.cursor('pubsub'), spool.cursor('pager')]).toEqual([1, 4]);
  });

  it('can be advanced: older messages that are not under way are dropped', async () => {
    const sink = fakeSink({ messages: 5 });
    sink.behave = () => fails('unavailable');
    const window = { messages: 20, bytes: 2 ** 20 };
    const { time, ids, isEmpty, delivery } = await startedLab(100, 1, { sink, window });
    await time.pass(1000);

    const dropped = delivery.skipTo(61);
    sink.behave = () => undefined;
    await time.until(isEmpty);

    expect(dropped).toBe(60);
    expect(sink.arrived.get('key-0')).toEqual(ids.slice(60));
  });
});

it.each([
  ['arrives', ['m0', 'm1', 'm2', 'm3', 'm4']],
  ['fails', []],
])(
  'a place that is moved on leaves alone what is under way; when that %s, no more of it is sent',
  async (outcome, first) => {
    const sink = fakeSink({ messages: 5 });
    sink.behave = async () => {
      if (sink.calls.length > 1) return;
      await time.pause(1000);
      if (outcome === 'fails') fails('unavailable');
    };
    const { time, ids, isEmpty, delivery, spool } = await startedLab(30, 1, { sink });
    await time.settle();

    expect(delivery.skipTo(21)).toBe(15);
    expect(spool.cursor('pubsub')).toBe(1);
    await time.pass(1050);
    delivery.skipTo(21);
    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual([...first, ...ids.slice(20)]);
  },
);

describe('a spool that cannot be read', () => {
  it('is read again later, from the same place', async () => {
    const { spool, time, accept, sink, delivery, logged, isEmpty } = lab();
    const ids = await accept(30);
    spool.broken = new Error('EIO');
    delivery.start();
    await time.settle();
    expect(delivery.status()).toMatchObject({ reason: 'disk', detail: 'EIO', depth: 30 });

    await time.until(isEmpty);

    expect(sink.arrived.get('key-0')).toEqual(ids);
    expect(logged.messages).toEqual([
      'spool messages cannot be read',
      'spool messages can be read again',
    ]);
  });

  it('is not read again and again for a missing record', async () => {
    const { spool, time, accept, delivery, isEmpty } = lab();
    await accept(3);
    spool.records.splice(1);

    delivery.start();
    await time.until(isEmpty);

    expect(spool.cursor('pubsub')).toBe(4);
  });
});
