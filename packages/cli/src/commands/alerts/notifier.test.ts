import { type AlertMessage, type Message, type Sink, SinkError } from '@skolo/alerts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { alert } from '../../testing/alert-data.ts';
import { Notifier } from './notifier.ts';

function named(alertname: string): AlertMessage {
  return alert({ alertname });
}

/** @param fail gives the error, or takes it */
function open(left: readonly AlertMessage[], fail: (name: string) => SinkError | undefined) {
  const told: string[] = [];
  const said: string[] = [];
  const nameOf = (message?: Message) =>
    message && 'alert' in message ? (message.alert.labels.alertname ?? '') : '';
  const sink: Sink = {
    name: 'pagers',
    limits: { orderingKeys: 1, messages: 1 },
    orderingKeyOf: () => '',
    async send([message]) {
      const error = fail(nameOf(message));
      if (error) throw error;
      told.push(nameOf(message));
    },
    close: async () => {},
  };
  const notifier = new Notifier(sink, { err: (text) => said.push(text) }, left);
  onTestFinished(() => notifier.close());
  return { notifier, told, said };
}

describe('the notifier', () => {
  it('tells first what was left from before', async () => {
    const { notifier, told } = open([named('A')], () => undefined);

    notifier.tell([named('B'), named('C')]);
    await notifier.flush(10_000);

    expect(told).toEqual(['A', 'B', 'C']);
    expect(notifier.waiting).toEqual([]);
  });

  it('passes over what is refused for good, and says so', async () => {
    const { notifier, told, said } = open([], (name) =>
      name === 'B' ? new SinkError('refused', '400', 'pagers: 400: no such team') : undefined,
    );

    notifier.tell([named('A'), named('B'), named('C')]);
    await notifier.flush(10_000);

    expect(told).toEqual(['A', 'C']);
    expect(said).toEqual(['skolo: pagers: not taken: pagers: 400: no such team']);
  });

  it('keeps in order what cannot be told now, and says so in the end', async () => {
    const down = new SinkError('unavailable', '503', '503');
    const { notifier, told, said } = open([], (name) => (name === 'A' ? down : undefined));
    notifier.tell([named('A'), named('B')]);
    await expect.poll(() => said).toEqual(['skolo: pagers: not told yet, trying again: 503']);

    await notifier.close();

    expect(told).toEqual([]);
    expect(notifier.waiting.map((message) => message.alert.labels.alertname)).toEqual(['A', 'B']);
    expect(said.at(-1)).toBe('skolo: pagers: 2 not told: 503');
  });

  it('does not keep more than anybody would read', async () => {
    const down = new SinkError('unavailable', '503', '503');
    const { notifier, said } = open([], () => down);
    await Promise.resolve();

    notifier.tell(Array.from({ length: 10_003 }, (_, i) => named(String(i))));

    expect(notifier.waiting).toHaveLength(10_000);
    expect(notifier.waiting[0]?.alert.labels.alertname).toBe('3');
    expect(said).toContain('skolo: pagers: 3 changes are dropped: too many wait');
  });
});
