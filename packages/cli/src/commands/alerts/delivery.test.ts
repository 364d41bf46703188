import type { SinkStatus } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import type { AlertToPubsub } from '../../reach/service-client.ts';
import { type AlertToPubsubStatus, sinkDelivery } from './delivery.ts';

/** @param oldest age of the oldest queued message at the n-th request; undefined: no message is queued */
function waiting(oldest: (n: number) => number | undefined, withinMs = 60_000) {
  let asked = 0;
  async function answer(): Promise<AlertToPubsubStatus> {
    const seconds = oldest(asked);
    asked += 1;
    const sink: SinkStatus = {
      name: 'pubsub',
      kind: 'pubsub',
      depth: seconds === undefined ? 0 : 1,
      oldestSeconds: seconds ?? 0,
      setAside: 0,
    };
    const spool = { bytes: 0, maxBytes: 1 };
    return { location: 'rack4', healthy: true, receivers: [], firing: 0, spool, sinks: [sink] };
  }
  const service: AlertToPubsub = {
    // Used only for the status.
    ask: answer as AlertToPubsub['ask'],
  };
  const { signal } = new AbortController();
  return { sending: sinkDelivery({ service, withinMs, signal }), asked: () => asked };
}

describe('an alert that the service sends', () => {
  it('is sent when no sink queues it', async () => {
    const { sending, asked } = waiting((n) => (n < 2 ? 3600 : undefined));

    await sending.arrived('firing', performance.now());

    expect(asked()).toBe(3);
  });

  it('is not sent while a queued message is as old', async () => {
    const accepted = performance.now();
    const age = () => (performance.now() - accepted) / 1000;
    const { sending } = waiting(age, 1000);

    await expect(sending.arrived('firing', accepted)).rejects.toThrow(
      /^the firing message was not sent within 1 s: accepted, but rack4 still has 1 message queued for sink pubsub/,
    );
  });

  it('is sent when all queued messages are younger', async () => {
    const { sending } = waiting(() => 0.2);

    await sending.arrived('firing', performance.now() - 500);
  });
});
