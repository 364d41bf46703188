import {
  type AlertMessage,
  type BackOffTimes,
  type Message,
  type Sink,
  SinkError,
} from '@skolo/alerts';
import { alert } from '@skolo/scripted-services';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Notifier } from './notifier.ts';

function named(alertname: string, fingerprint = alertname): AlertMessage {
  const message = alert({ alertname });
  return { ...message, alert: { ...message.alert, fingerprint } };
}

const late = new SinkError('timeout', 'TIMEOUT', 'no response', { mayHaveArrived: true });

/** @param fail returns an error to throw, or undefined */
function open(
  left: readonly AlertMessage[],
  fail: (name: string) => SinkError | undefined,
  times?: BackOffTimes,
) {
  const tried: string[] = [];
  const sent: string[] = [];
  const printed: string[] = [];
  const nameOf = (message?: Message) =>
    message && 'alert' in message ? (message.alert.labels.alertname ?? '') : '';
  const sink: Sink = {
    name: 'pagers',
    limits: { orderingKeys: 1, messages: 1 },
    orderingKeyOf: () => '',
    async send([message]) {
      tried.push(nameOf(message));
      const error = fail(nameOf(message));
      if (error) throw error;
      sent.push(nameOf(message));
    },
    close: async () => {},
  };
  const notifier = new Notifier(sink, { err: (text) => printed.push(text) }, left, times);
  onTestFinished(() => notifier.close());
  return { notifier, tried, sent, printed };
}

describe('the notifier', () => {
  it('first sends messages of an earlier watch', async () => {
    const { notifier, sent } = open([named('A')], () => undefined);

    notifier.notify([named('B'), named('C')]);
    await notifier.flush(10_000);

    expect(sent).toEqual(['A', 'B', 'C']);
    expect(notifier.waiting).toEqual([]);
  });

  it('drops and reports a message that the sink rejects', async () => {
    const { notifier, sent, printed } = open([], (name) =>
      name === 'B' ? new SinkError('rejected', '400', 'pagers: 400: no such team') : undefined,
    );

    notifier.notify([named('A'), named('B'), named('C')]);
    await notifier.flush(10_000);

    expect(sent).toEqual(['A', 'C']);
    expect(printed).toEqual(['skolo: pagers: rejected: pagers: 400: no such team']);
  });

  it('keeps unsent messages in order, and reports them at the end', async () => {
    const down = new SinkError('unavailable', '503', '503');
    const { notifier, sent, printed } = open([], (name) => (name === 'A' ? down : undefined));
    notifier.notify([named('A'), named('B')]);
    await expect.poll(() => printed).toEqual(['skolo: pagers: not sent yet, retrying: 503']);

    await notifier.close();

    expect(sent).toEqual([]);
    expect(notifier.waiting.map((message) => message.alert.labels.alertname)).toEqual(['A', 'B']);
    expect(printed.at(-1)).toBe('skolo: pagers: 2 messages not sent: 503');
  });

  it('repeats a message that may have arrived after a while, which delays no other alert', async () => {
    const { notifier, tried, sent } = open([], (name) => (name === 'A' ? late : undefined));
    notifier.notify([named('A'), named('B'), named('C')]);

    await expect.poll(() => sent).toEqual(['B', 'C']);
    await notifier.flush(10_000);

    expect(tried).toEqual(['A', 'B', 'C']);
    expect(notifier.waiting).toHaveLength(1);
  });

  it('sends a message that may have arrived three times no more if a later one about its alert waits', async () => {
    const fail = (name: string) => (name === 'A' ? late : undefined);
    const { notifier, tried, sent, printed } = open([], fail, { firstMs: 1, maxMs: 1 });

    notifier.notify([named('A'), named('recovered', 'A')]);

    await expect.poll(() => sent).toEqual(['recovered']);
    expect(tried).toEqual(['A', 'A', 'A', 'recovered']);
    expect(printed).toContain('skolo: pagers: a message may have arrived 3 times; not sent again');
    expect(notifier.waiting).toEqual([]);
  });

  it('does not keep more than anybody would read', async () => {
    const down = new SinkError('unavailable', '503', '503');
    const { notifier, printed } = open([], () => down);
    await Promise.resolve();

    notifier.notify(Array.from({ length: 10_003 }, (_, i) => named(String(i))));

    expect(notifier.waiting).toHaveLength(10_000);
    expect(notifier.waiting[0]?.alert.labels.alertname).toBe('3');
    expect(printed).toContain('skolo: pagers: the queue is full; dropped the oldest 3 messages');
  });
});
