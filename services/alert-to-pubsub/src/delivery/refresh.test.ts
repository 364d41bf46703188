/** Each sink gets refreshes of alerts that still fire. They never fill the spool, nor overtake a change. */
import type { AlertMessage } from '@skolo/alerts';
import { describe, expect, it } from 'vitest';
import { alert, type LabOptions, lab } from './testing/delivery-lab.ts';
import { fails, fakeSink } from './testing/fake-sink.ts';
import { MemorySpool } from './testing/memory-spool.ts';

/** With alerts that fire, by their names; each refresh has the number of the minute. */
function start(firing: Set<string>, options: LabOptions = {}) {
  const spool = new MemorySpool();
  const behind = { isSo: false };
  let minute = 0;
  const intake = {
    get next() {
      return behind.isSo ? spool.next - 1 : spool.next;
    },
    refreshOf(fingerprint: string): AlertMessage | undefined {
      if (!firing.has(fingerprint)) return undefined;
      const message = alert(`${fingerprint}-${minute}`, 'key-0', made.time.clock.now());
      return { ...message, kind: 'refresh', alert: { ...message.alert, fingerprint } };
    },
  };
  const made = lab({ spool, intake, ...options });
  made.delivery.start();
  return {
    ...made,
    behind,
    async passMinutes(minutes: number) {
      for (let passed = 0; passed < minutes; passed += 1) {
        minute += 1;
        await made.time.pass(60_000);
        made.delivery.refresh([...firing]);
        await made.time.settle();
      }
    },
  };
}

describe('refreshes', () => {
  it('come each minute, and are not in the spool', async () => {
    const { sink, passMinutes, spool } = start(new Set(['a', 'b']));

    await passMinutes(3);

    expect(sink.arrived.get('key-0')).toEqual(['a-1', 'b-1', 'a-2', 'b-2', 'a-3', 'b-3']);
    expect(spool.next).toBe(1);
  });

  it('that were not sent while the sink is down do not add up', async () => {
    const sink = fakeSink({ messages: 1 });
    let isDown = true;
    sink.behave = () => (isDown ? fails('unavailable') : undefined);
    const firing = new Set(['a', 'b', 'c']);
    const { passMinutes, accept, time, isEmpty, delivery, spool } = start(firing, { sink });

    await passMinutes(60);
    const changes = await accept(2);
    await passMinutes(60);
    expect(spool.next).toBe(3);
    expect(delivery.status().depth).toBe(5);
    isDown = false;
    await time.until(isEmpty);
    await passMinutes(1);

    const arrived = (sink.arrived.get('key-0') ?? []).filter((id) => !id.startsWith('notice'));
    expect(arrived).toEqual(expect.arrayContaining(changes));
    expect(arrived.slice(-3).toSorted()).toEqual(['a-121', 'b-121', 'c-121']);
    expect(arrived).toHaveLength(8);
  });

  it('never overtake a change of the alert', async () => {
    const firing = new Set(['a']);
    const { sink, passMinutes, accept, behind, delivery, time } = start(firing);
    behind.isSo = true;
    // The spool has more than is known.
    await accept(1);
    await passMinutes(1);
    expect(sink.arrived.get('key-0')).toEqual(['m0']);

    behind.isSo = false;
    firing.delete('a');
    delivery.refresh([]);
    await time.settle();

    expect(sink.arrived.get('key-0')).toEqual(['m0']);
  });

  it('hold at most the window', async () => {
    const sink = fakeSink({ messages: 1 });
    sink.behave = () => fails('unavailable');
    const names = Array.from({ length: 5000 }, (_, n) => `alert-${n}`);
    const { passMinutes, delivery } = start(new Set(names), {
      sink,
      window: { messages: 50, bytes: 2 ** 20 },
    });

    await passMinutes(3);

    expect(delivery.status().depth).toBeLessThanOrEqual(50);
  });
});
