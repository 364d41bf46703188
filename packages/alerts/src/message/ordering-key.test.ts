import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alertMessage,
  anyMessage,
  heartbeatMessage,
  noticeMessage,
  numberedAlert,
} from '../testing/messages.ts';
import { noOrderingKey, orderingKey, queueKey } from './ordering-key.ts';

describe('orderingKey', () => {
  it('is the same for all messages about an alert, and one of a fixed number', () => {
    fc.assert(
      fc.property(anyMessage, fc.integer({ min: 1, max: 1000 }), (message, keys) => {
        const of = orderingKey(message, 'rack4', keys);

        if (message.kind === 'heartbeat') {
          expect(of).toBe(noOrderingKey);
          return;
        }
        const { name, n } = /^(?<name>.*)-(?<n>\d+)$/.exec(of)?.groups ?? {};
        expect(name).toBe('rack4');
        expect(Number(n)).toBeLessThan(keys);
      }),
      runs(500),
    );
    const firing = orderingKey(alertMessage(), 'rack4', 32);
    expect(orderingKey(alertMessage({ id: 'x', alert: { status: 'resolved' } }), 'rack4', 32)).toBe(
      firing,
    );
  });

  it('never changes, because spools hold queued messages', () => {
    expect(orderingKey(alertMessage(), 'rack4', 32)).toBe('rack4-19');
  });

  it('is the first for notices, and empty for heartbeats', () => {
    expect(orderingKey(noticeMessage(), 'rack4', 32)).toBe('rack4-0');
    expect(orderingKey(heartbeatMessage(), 'rack4', 32)).toBe('');
  });

  it('spreads alerts evenly', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 3200; n += 1) {
      const of = orderingKey(numberedAlert(n), 'rack4', 32);
      counts.set(of, (counts.get(of) ?? 0) + 1);
    }

    expect(counts.size).toBe(32);
    expect(Math.max(...counts.values())).toBeLessThan(200);
  });
});

describe('queueKey', () => {
  it('is the same for messages of one ordering key only if they must keep their order', () => {
    fc.assert(
      fc.property(anyMessage, anyMessage, (one, other) => {
        if (queueKey(one) !== queueKey(other)) return;
        expect(orderingKey(one, 'rack4', 32)).toBe(orderingKey(other, 'rack4', 32));
      }),
      runs(500),
    );
    const firing = queueKey(alertMessage());
    expect(queueKey(alertMessage({ id: 'x', alert: { status: 'resolved' } }))).toBe(firing);
    expect(queueKey(numberedAlert(1))).not.toBe(queueKey(numberedAlert(2)));
    expect(queueKey(noticeMessage())).not.toBe(firing);
  });
});
