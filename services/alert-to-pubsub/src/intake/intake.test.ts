import { type Group, SpooledMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { measureJson } from '@skolo/base';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import type { AlertEvent } from '../events.ts';
import type { Batch, Received, ReceivedAlert } from '../receive/batch.ts';
import { Rejection } from '../receive/rejection.ts';
import { smallRack } from '../testing/small-rack.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Intake, type IntakeDeps } from './intake.ts';

const settings = smallRack().services['alert-to-pubsub'];

/** A spool whose space, delay and errors a test sets. */
class FakeSpool {
  readonly records: string[] = [];
  syncs = 0;
  trouble: Error | undefined;
  /** Bytes that it takes at once. */
  space = Number.POSITIVE_INFINITY;
  private gate: Promise<void> = Promise.resolve();

  hold(): () => void {
    const opened = Promise.withResolvers<void>();
    this.gate = opened.promise;
    return opened.resolve;
  }

  async append(texts: readonly string[]): Promise<number> {
    await this.gate;
    if (this.trouble) throw this.trouble;
    if (texts.join('').length > this.space) throw new Error('no space left on the device');
    this.syncs += 1;
    this.records.push(...texts);
    return this.records.length - texts.length + 1;
  }

  get messages(): SpooledMessage[] {
    return this.records.map((text) => SpooledMessage.parse(JSON.parse(text)));
  }

  /** Name and status of the alerts, in order. */
  get summaries(): string[] {
    return this.messages.map((message) =>
      message.kind === 'notice'
        ? `notice ${message.notice}`
        : `${message.alert.labels.alertname} ${message.kind === 'refresh' ? 'refresh' : message.alert.status}`,
    );
  }
}

interface StartOptions extends Partial<IntakeDeps> {
  rejection?: () => string | undefined;
  isOpen?: boolean;
}

function start({ rejection, isOpen = true, ...over }: StartOptions = {}) {
  const spool = new FakeSpool();
  const clock = fakeClock('2026-11-20T07:00:00Z');
  const letters: DeadLetter[] = [];
  const receptions: Received[] = [];
  const troubles: unknown[] = [];
  const intake = new Intake({
    settings: () => settings,
    capacity: {
      rejection: rejection ?? (() => undefined),
      wrote: (error) => void troubles.push(error),
    },
    deadLetters: { add: async (added) => void letters.push(...added) },
    firstId: 0,
    clock,
    emit: (event: AlertEvent) =>
      void (event.type === 'received' && receptions.push(event.received)),
    ...over,
  });
  if (isOpen) intake.open(spool);
  const accept = (batch: Batch) => intake.accept(() => batch, 0);
  return { intake, accept, spool, clock, letters, receptions, troubles };
}

function batch(names: string[], more: Partial<Batch> = {}): Batch {
  const alerts = names.map((name) => ({
    labels: { alertname: name.replace('-', '') },
    annotations: {},
    status: name.endsWith('-') ? ('resolved' as const) : ('firing' as const),
  }));
  return { endpoint: 'webhook', alerts, bad: [], truncated: 0, ...more };
}

function alertWith(annotations: ReceivedAlert['annotations']): ReceivedAlert {
  return { labels: { alertname: 'A' }, annotations };
}

/** An object with names that no other one has. */
function namesOf<T>(i: number, count: number, value: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, k) => [`n${i}-${k}`, value]));
}

describe('accept', () => {
  it('writes the rack in which a firing began, until that is resolved, and none if an earlier version began it', async () => {
    let name = 'rack4';
    const { intake, accept, spool } = start({ rack: () => ({ name }) });
    await accept(batch(['A', 'B']));
    const { known } = intake.alerts.get(fingerprintOf({ alertname: 'B' })) ?? {};
    delete known?.rack;
    name = 'berlin';

    await accept(batch(['A-', 'B-']));
    await accept(batch(['A', 'B', 'C']));

    const racks = spool.messages.map((each) => each.kind !== 'notice' && each.rack);
    expect(racks).toEqual(['rack4', 'rack4', 'rack4', undefined, 'berlin', 'berlin', 'berlin']);
  });

  describe('while it asks Alertmanager when that was started', () => {
    const begin = Date.parse('2026-11-20T07:00:00Z');
    /** One alert, of which the webhook says that it began so many seconds after the beginning. */
    const startingAt = (name: string, seconds: number, more: Partial<Batch> = {}) => {
      const found = batch([name], more);
      for (const alert of found.alerts) Object.assign(alert, { startsAt: begin + seconds * 1000 });
      return found;
    };
    const sender = (since = begin - 1000) => {
      const asked: ((start: number | undefined) => void)[] = [];
      const lab = start({
        senderStart: () =>
          new Promise<number | undefined>((resolve) => {
            asked.push(resolve);
          }),
      });
      /** It has asked, and gets the answer only later. */
      const isAsking = (count: number) => expect.poll(() => asked.length).toBe(count);
      const answer = () => asked.forEach((resolve) => void resolve(since));
      return { ...lab, isAsking, answer };
    };

    it.each<[string, Batch]>([
      ['its end', startingAt('A-', 30)],
      ['its end at another endpoint', startingAt('A-', 30, { endpoint: 'v2' })],
    ])('accepts %s, which the older request does not undo', async (_, over) => {
      const { accept, spool, clock, isAsking, answer } = sender();
      await accept(startingAt('A', 0));
      clock.pass(60_000);
      const older = accept(startingAt('A', 30));
      await isAsking(1);

      await accept(over);
      answer();
      await older;

      expect(spool.summaries).toEqual(['A firing', 'A resolved']);
    });

    it('accepts the other alerts of the request, and other requests', async () => {
      const { accept, spool, clock, isAsking, answer } = sender();
      await accept(startingAt('A', 0));
      clock.pass(60_000);
      const [again] = startingAt('A', 30).alerts;
      const asking = accept(
        batch(['B', 'C'], { alerts: [...batch(['B', 'C']).alerts, again ?? []].flat() }),
      );
      await isAsking(1);

      expect(spool.summaries).toEqual(['A firing', 'B firing', 'C firing']);
      await accept(batch(['B-']));
      answer();
      await asking;

      expect(spool.summaries.slice(3)).toEqual(['B resolved', 'A resolved', 'A firing']);
    });

    it('accepts the same from the other Alertmanager of a pair, once', async () => {
      const { accept, spool, clock, isAsking, answer } = sender();
      await accept(startingAt('A', 0));
      clock.pass(60_000);
      const both = [accept(startingAt('A', 30)), accept(startingAt('A', 30))];
      await isAsking(2);
      answer();
      await Promise.all(both);

      expect(spool.summaries).toEqual(['A firing', 'A resolved', 'A firing']);
    });

    it('lets an alert expire, and fires it again with the answer', async () => {
      const { accept, spool, intake, clock, isAsking, answer } = sender();
      await accept(startingAt('A', 0));
      clock.pass(60_000);
      const asking = accept(startingAt('A', 30));
      await isAsking(1);
      clock.pass(25 * 3_600_000);
      await intake.tick();
      answer();
      await asking;

      expect(spool.summaries).toEqual(['A firing', 'A resolved', 'A firing']);
    });

    it('accepts the newer request after an older one that the disk refuses', async () => {
      const { accept, spool, clock, isAsking, answer } = sender();
      await accept(startingAt('A', 0));
      clock.pass(60_000);
      const older = accept(startingAt('A', 30));
      await isAsking(1);
      spool.trouble = new Error('the disk is full');
      answer();
      await expect(older).rejects.toThrow('the disk is full');
      spool.trouble = undefined;

      const again = accept(startingAt('A', 30));
      await isAsking(2);
      answer();
      await again;

      expect(spool.summaries).toEqual(['A firing', 'A resolved', 'A firing']);
    });
  });

  it('is fulfilled when the spool has it, and not before', async () => {
    const { accept, spool } = start();
    const release = spool.hold();
    let isDone = false;
    const accepted = accept(batch(['A'])).then(() => {
      isDone = true;
    });
    await new Promise(setImmediate);

    expect(isDone).toBe(false);
    release();
    await accepted;
    expect(spool.summaries).toEqual(['A firing']);
  });

  it('rejects a request that cannot be read, and accepts the others of its group', async () => {
    const { intake, accept, spool } = start();
    const unreadable = intake.accept(() => {
      throw new Error('the body is not JSON');
    }, 10);
    const all = [accept(batch(['A'])), unreadable, accept(batch(['B']))];

    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    await expect(unreadable).rejects.toThrow('the body is not JSON');
    expect(spool.summaries).toEqual(['A firing', 'B firing']);
    expect(spool.syncs).toBe(1);
  });

  it('reports what is wrong with a request while the disk is full, too', async () => {
    const { intake, accept } = start({ rejection: () => 'the disk is full' });
    const unreadable = intake.accept(() => {
      throw new Error('the body is not JSON');
    }, 10);
    const readable = accept(batch(['A']));

    await expect(unreadable).rejects.toThrow('the body is not JSON');
    await expect(readable).rejects.toThrow('the disk is full');
  });

  it('reads a request only when it is its turn, and large ones in several groups', async () => {
    const { intake, spool } = start();
    const release = spool.hold();
    const read: string[] = [];
    const all = ['A', 'B', 'C'].map((name) =>
      intake.accept(
        () => {
          read.push(name);
          return batch([name]);
        },
        2 ** 18 + 1,
      ),
    );
    await new Promise(setImmediate);
    await new Promise(setImmediate);

    expect(read).toEqual(['A']);
    release();
    await Promise.all(all);
    expect(spool.summaries).toEqual(['A firing', 'B firing', 'C firing']);
    expect(spool.syncs).toBe(3);
  });

  it('writes nothing for known alerts', async () => {
    const { intake, accept, spool } = start();
    await accept(batch(['A']));
    await accept(batch(['A']));

    expect(spool.syncs).toBe(1);
    expect(intake.alerts.size).toBe(1);
  });

  it('accepts nothing before the spool is open, not even repeats: the known alerts are being read', async () => {
    const { intake, accept, spool } = start({ isOpen: false });
    await expect(accept(batch([]))).rejects.toThrow(Rejection);
    await expect(accept(batch(['A']))).rejects.toThrow(Rejection);

    intake.open(spool);

    await expect(accept(batch(['A']))).resolves.toMatchObject({ firing: 1 });
  });

  it('does not respond to a repeat before the first of it is written', async () => {
    const { intake, accept, spool } = start();
    const release = spool.hold();
    const first = accept(batch(['A']));
    const answers: string[] = [];
    const repeat = accept(batch(['A'])).then(
      () => answers.push('accepted'),
      () => answers.push('rejected'),
    );
    await new Promise(setImmediate);
    expect(answers).toEqual([]);
    spool.trouble = new Error('the disk is gone');
    release();
    await expect(first).rejects.toThrow(Rejection);
    await repeat;

    expect(answers).toEqual(['rejected']);
    expect(intake.alerts.size).toBe(0);
  });

  it('shares one sync among all that wait', async () => {
    const { accept, spool } = start();
    const release = spool.hold();
    const names = Array.from({ length: 100 }, (_, i) => `A${i}`);
    const all = names.map((name) => accept(batch([name])));
    await new Promise(setImmediate);
    release();
    await Promise.all(all);

    expect(spool.syncs).toBe(1);
    expect(spool.summaries).toEqual(names.map((name) => `${name} firing`));
  });

  it('accepts a small request when the whole group does not fit', async () => {
    const { intake, accept, spool } = start();
    spool.space = 1000;
    const large = accept(batch(Array.from({ length: 50 }, (_, i) => `L${i}`)));
    const small = accept(batch(['S']));

    await expect(large).rejects.toThrow(/no space left/);
    await small;
    expect(spool.summaries).toEqual(['S firing']);
    expect([...intake.alerts.values()].map(({ known }) => known.alert.labels)).toEqual([
      { alertname: 'S' },
    ]);
  });

  it('does not remember a rejected alert: the next time it is new', async () => {
    const { accept, spool, troubles } = start();
    spool.trouble = new Error('the disk is full');
    await expect(accept(batch(['A']))).rejects.toThrow(/the disk is full/);
    spool.trouble = undefined;
    await accept(batch(['A']));

    expect(spool.summaries).toEqual(['A firing']);
    expect(troubles).toEqual([new Error('the disk is full'), undefined]);
  });

  it('rejects new alerts while the spool is full, and accepts known ones', async () => {
    let rejection: string | undefined;
    const { intake, accept } = start({ rejection: () => rejection });
    await accept(batch(['A']));
    rejection = 'the spool is full';

    await accept(batch(['A']));
    await expect(accept(batch(['A', 'B']))).rejects.toThrow('the spool is full');
    await expect(accept(batch(['A-']))).rejects.toThrow('the spool is full');
    rejection = undefined;
    await accept(batch(['A-', 'B']));
    expect(intake.alerts.size).toBe(2);
  });

  it('rejects alerts beyond the memory for known alerts, and accepts known ones', async () => {
    const { accept, spool } = start({ mostMemory: 2500 });
    await accept(batch(['A', 'B']));
    // As Prometheus sends them: what ends and what begins in one request.
    const mixed = accept(batch(['A-', 'C', 'D']));
    const known = accept(batch(['B-']));

    await expect(mixed).rejects.toThrow(
      /2 new alerts rejected, because the 2 known alerts take up the limit of 0 MiB/,
    );
    await known;
    expect(spool.summaries).toEqual(['A firing', 'B firing', 'A resolved', 'B resolved']);
  });

  it('rejects texts of known alerts that grow beyond that, and accepts the end of the alert', async () => {
    const { accept, intake, spool } = start({ mostMemory: 2500 });
    const withText = (name: string, length: number) => {
      const { alerts, ...rest } = batch([name]);
      for (const alert of alerts) alert.annotations = { text: 'x'.repeat(length) };
      return { alerts, ...rest };
    };
    await accept(withText('A', 600));

    await accept(withText('A', 700));
    await expect(accept(withText('A', 9000))).rejects.toThrow('1 new alert rejected');
    await accept(withText('A-', 700));
    await expect(accept(withText('B', 400))).rejects.toThrow('1 new alert rejected');

    expect(spool.summaries).toEqual(['A firing', 'A resolved']);
    expect(intake.alerts.size).toBe(1);
  });

  it.each([
    ['labels', (i: number) => ({ labels: namesOf(i, 40, 'a') })],
    ['annotations', (i: number) => ({ annotations: namesOf(i, 40, '') })],
    ['unknown fields', (i: number) => ({ more: { junk: namesOf(i, 40, {}) } })],
    ['unknown numbers', () => ({ more: { junk: Array.from({ length: 400 }, () => 0.5) } })],
    ['long texts', (i: number) => ({ annotations: { a: `${i}語`.repeat(1000) } })],
  ])('counts what alerts take in memory, not how long their texts are: %s', async (_, fieldsOf) => {
    const { accept, intake } = start({ mostMemory: 2 ** 20 });
    const alertOf = (i: number) => ({ labels: { a: `${i}` }, annotations: {}, ...fieldsOf(i) });
    const measured = measureJson(Buffer.from(JSON.stringify(alertOf(1)))).value;

    for (let i = 0; i < 300; i += 1) {
      const alerts = [{ ...alertOf(i), status: 'firing' as const }];
      await accept({ ...batch([]), alerts }).catch(() => undefined);
    }

    expect(intake.alerts.size).toBeLessThanOrEqual(2 ** 20 / measured);
    expect(intake.alerts.size).toBeGreaterThan(0.8 * (2 ** 20 / (measured + 700)));
  });

  it('accepts alerts of a machine up to its share, and those of all others beyond it', async () => {
    const events: AlertEvent[] = [];
    const { intake, accept, spool } = start({
      mostOfMachine: 2,
      emit: (event) => void events.push(event),
    });
    const of = (machine: string, names: string[]) => {
      const { alerts, ...rest } = batch(names);
      for (const { labels } of alerts) Object.assign(labels, { machine });
      return { alerts, ...rest };
    };

    await accept(of('pi-1', ['A', 'B', 'C', 'D']));
    await accept(of('pi-1', ['A', 'B-', 'E']));
    await accept(of('pi-2', ['A']));
    await accept(batch(['R1', 'R2', 'R3']));

    const ofAlerts = spool.summaries.filter((text) => !text.startsWith('notice'));
    expect(ofAlerts.join(', ')).toBe(
      'A firing, B firing, B resolved, A firing, R1 firing, R2 firing, R3 firing',
    );
    expect(spool.messages.filter(({ kind }) => kind === 'notice')).toMatchObject([
      {
        notice: 'truncated',
        text: expect.stringMatching(
          /^pi-1: 2 new alerts rejected, because the limit of 2 alerts with this machine label has been reached/,
        ),
        facts: { machine: 'pi-1', count: 2 },
      },
    ]);
    const left = events.flatMap((event) => (event.type === 'received' ? [event.overShare] : []));
    expect(left).toEqual([2, 1, 0, 0]);
    expect(intake.alerts.size).toBe(6);
  });

  it.each([
    ['rack4', 'rack7'],
    ['rack7', 'rack4'],
  ])(
    'accepts alerts of a machine of %s beyond the share of its namesake in %s',
    async (one, other) => {
      const { accept, spool } = start({ mostOfMachine: 2, rack: () => ({ name: 'rack4' }) });
      const of = (rack: string, names: string[]) => {
        const { alerts, ...rest } = batch(names);
        for (const { labels } of alerts) Object.assign(labels, { machine: 'pi-1', rack });
        return { alerts, ...rest };
      };
      await accept(of(other, ['A', 'B', 'C']));

      await accept(of(one, ['D', 'E', 'F']));

      const alerts = spool.summaries.filter((text) => !text.startsWith('notice'));
      expect(alerts).toEqual(['A firing', 'B firing', 'D firing', 'E firing']);
    },
  );

  it('gives a machine its share again once its alerts are forgotten', async () => {
    const { accept, intake, spool, clock } = start({ mostOfMachine: 1 });
    const of = (name: string) => ({
      ...batch([]),
      alerts: [
        {
          labels: { alertname: name.replace('-', ''), machine: 'pi-1' },
          annotations: {},
          status: name.endsWith('-') ? ('resolved' as const) : ('firing' as const),
        },
      ],
    });
    await accept(of('A'));
    await accept(of('A-'));
    await accept(of('B'));
    clock.pass(21 * 60_000);
    await intake.tick();

    await accept(of('B'));

    expect(spool.summaries).toEqual(['A firing', 'A resolved', 'notice truncated', 'B firing']);
  });

  it('publishes firing and resolved of the same batch, in their order', async () => {
    const { accept, spool } = start();
    await accept(batch(['A', 'A-', 'A']));

    expect(spool.summaries).toEqual(['A firing', 'A resolved', 'A firing']);
  });

  it('gives each message an id of its own', async () => {
    const { accept, spool } = start();
    await accept(batch(['A', 'A-', 'B']));

    expect(new Set(spool.messages.map(({ id }) => id)).size).toBe(3);
    expect(spool.messages.every(({ id }) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  });

  it('keeps bad alerts as dead letters, each once, and publishes a notice', async () => {
    const { accept, spool, letters } = start();
    const bad = [
      { why: 'labels are missing', found: { foo: 1 } },
      { why: 'labels are missing', found: { foo: 1 } },
      { why: 'labels are missing', found: { foo: 2 } },
    ];
    await accept(batch(['A'], { bad }));
    await accept(batch(['A'], { bad }));

    expect(letters.map(({ found }) => found)).toEqual([{ foo: 1 }, { foo: 2 }]);
    expect(spool.summaries).toEqual(['A firing', 'notice dead-letters']);
  });

  const manyTexts = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`name ${i}`, 'x']));
  const [summary, runbook_url] = ['disk full', 'http://wiki/disk'];
  const generatorURL = 'http://prometheus/graph';
  const commonAnnotations = { text: 'ü'.repeat(3_000_000) };
  it.each<[string, Partial<ReceivedAlert>, Group, string]>([
    ['a long annotation', { annotations: { text: 'ü'.repeat(5_000_000) } }, {}, 'annotations.text'],
    ['wide characters', { annotations: { text: `${'x'.repeat(600_000)}語` } }, {}, 'text'],
    ['escapes', { annotations: { text: '\u0001🔥'.repeat(100_000) } }, {}, 'text'],
    ['many annotations', { annotations: manyTexts(30_000) }, {}, 'others'],
    ['a long link', { generatorURL: 'x'.repeat(1_100_000) }, {}, 'generatorURL'],
    ['its group', {}, { commonAnnotations }, 'group.commonAnnotations.text'],
    ['labels of its group', {}, { commonLabels: manyTexts(30_000) }, 'group.commonLabels.name'],
    ['a field of its group', {}, { more: { junk: Array(100_000).fill({}) } }, 'group.more'],
    ['the key of its group', {}, { key: 'x'.repeat(1_100_000) }, 'group.key'],
    [
      'several that are large together',
      { annotations: Object.fromEntries([...'abcdef'].map((name) => [name, 'x'.repeat(250_000)])) },
      {},
      'annotations.',
    ],
  ])('cuts what is large in an alert, and keeps what is short: %s', async (_, texts, own, cut) => {
    const events: AlertEvent[] = [];
    const { intake, accept, spool, letters } = start({ emit: (event) => void events.push(event) });
    const group: Group = {
      ...{ key: '{}:{}', receiver: 'rack', externalURL: 'http://am', labels: { team: 'lab' } },
      ...own,
    };
    const large = (name: string) => {
      const { alerts, ...rest } = batch([name], { group });
      const annotations = { ...texts.annotations, summary, runbook_url };
      const all = alerts.map((alert) => ({ ...alert, generatorURL, ...texts, annotations }));
      return { ...rest, alerts: all };
    };

    await accept(large('L'));
    const refreshed = intake.refreshOf(fingerprintOf({ alertname: 'L' }));
    await accept(large('L-'));

    expect(spool.summaries).toEqual(['L firing', 'L resolved']);
    const { receiver, externalURL, key = '' } = group;
    const kept = {
      annotations: { summary, runbook_url },
      ...(!texts.generatorURL && { generatorURL }),
    };
    const keptGroup = { receiver, externalURL, ...(key.length < 10 && { key }) };
    for (const message of [...spool.messages, refreshed]) {
      expect(message).toMatchObject({ alert: kept, group: keptGroup });
      expect(measureJson(Buffer.from(JSON.stringify(message))).value).toBeLessThan(1.1 * 2 ** 20);
      expect(JSON.stringify(message)).toMatch(/^[^\ufffd]*$/);
    }
    expect(letters).toMatchObject([
      {
        from: 'webhook',
        why: expect.stringMatching(`${cut}.* cut, because the alert requires more than 1024 KiB`),
        found: { labels: { alertname: 'L' }, status: 'firing', ...kept, group: keptGroup },
      },
    ]);
    expect(JSON.stringify(letters).length).toBeLessThan(64 * 1024);
    const received = events.flatMap((event) => (event.type === 'received' ? event.received : []));
    expect(received).toMatchObject(Array(2).fill({ stripped: 1, bad: [] }));
  });

  it('cuts the longest texts only, and says so in them', async () => {
    const { accept, spool, letters } = start();
    const annotations = { short: 'x'.repeat(50_000), long: 'y'.repeat(2_000_000) };
    const [alert] = batch(['A']).alerts;
    await accept(batch([], { alerts: alert ? [{ ...alert, annotations }] : [] }));

    const [message] = spool.messages;
    expect(message?.kind !== 'notice' && message?.alert.annotations).toEqual({
      short: annotations.short,
      long: `${'y'.repeat(4096)}… (1995904 more characters left out)`,
    });
    expect(letters[0]?.why).toMatch(/^annotations.long cut/);
  });

  it.each<[string, (value: number) => Partial<Batch>]>([
    ['large', (value) => ({ alerts: [alertWith({ text: 'x'.repeat(2_000_000 + value) })] })],
    [
      'invalid',
      (value) => ({ bad: [{ why: `${value} is after`, found: { labels: { a: 'b' }, value } }] }),
    ],
    [
      'too large in an unknown field',
      (value) => ({ bad: [{ why: 'junk', found: { labels: { a: 'b' }, value }, entries: 0 }] }),
    ],
    [
      'too large in a field of its group',
      (value) => ({ bad: [{ why: 'junk', found: { value }, entries: 0 }], group: { key: 'a' } }),
    ],
  ])('keeps an alert as a dead letter once an hour if it is %s', async (_, more) => {
    const { accept, clock, letters } = start();
    for (let minute = 0; minute < 70; minute += 5) {
      clock.pass(300_000);
      await accept(batch([], { endpoint: 'v2', ...more(minute) }));
    }

    expect(letters).toHaveLength(2);
  });

  it('shortens a message of an earlier version that is sent again', async () => {
    const { accept, intake, spool } = start();
    await accept(batch(['A']));
    const [message] = spool.messages;
    if (message?.kind !== 'transition') throw new Error('no message');
    const alert = { ...message.alert, annotations: { text: 'x'.repeat(2_000_000), summary } };

    await intake.resend([{ ...message, alert }], 'pager');

    expect(spool.messages[1]).toMatchObject({ sink: 'pager', alert: { annotations: { summary } } });
    expect(spool.records[1]?.length).toBeLessThan(10_000);
  });

  it('publishes a notice of alerts that Alertmanager left out, again after an hour', async () => {
    const { accept, spool, clock } = start();
    const cut = batch(['A'], { truncated: 3, group: { key: '{}:{}', receiver: 'rack' } });
    await accept(cut);
    await accept(cut);
    clock.pass(3_700_000);
    await accept(cut);

    expect(spool.summaries).toEqual(['A firing', 'notice truncated', 'notice truncated']);
    expect(spool.messages[1]).toMatchObject({
      facts: { count: 3, group: '{}:{}', receiver: 'rack' },
      text: expect.stringContaining('raise max_alerts of the receiver rack'),
    });
  });
});

describe('tick', () => {
  it('returns refreshes of all alerts that still fire, and writes nothing', async () => {
    const { intake, accept, spool, clock } = start();
    await accept(batch(['A', 'B', 'C', 'C-']));
    clock.pass(60_000);
    const due = await intake.tick();

    const names = due.map((fingerprint) => intake.refreshOf(fingerprint)?.alert.labels.alertname);
    expect(names).toEqual(['A', 'B']);
    expect(spool.syncs).toBe(1);
  });

  it('writes nothing when nothing is due', async () => {
    const { intake, accept, spool, clock } = start();
    await accept(batch(['A']));
    clock.pass(10_000);

    expect(await intake.tick()).toEqual([]);
    expect(spool.syncs).toBe(1);
  });

  it('ends an alert again when the disk did not take its end', async () => {
    const { intake, accept, spool, clock } = start();
    await accept(batch(['A']));
    clock.pass(25 * 3_600_000);
    spool.trouble = new Error('full');
    await expect(intake.tick()).rejects.toThrow('full');
    spool.trouble = undefined;
    await intake.tick();

    expect(spool.summaries).toEqual(['A firing', 'A resolved']);
  });

  it('ends no alert that could not be repeated because this service was paused', async () => {
    const { intake, accept, spool, clock } = start();
    const [alert] = batch(['A']).alerts;
    const endsAt = clock.now() + 240_000;
    await accept(batch([], { endpoint: 'v2', alerts: alert ? [{ ...alert, endsAt }] : [] }));
    clock.pass(200_000);
    clock.sleep(3_600_000);
    await intake.tick();
    const whilePaused = [...spool.summaries];
    clock.pass(241_000);
    await intake.tick();

    expect(whilePaused).toEqual(['A firing']);
    expect(spool.summaries).toEqual(['A firing', 'A resolved']);
  });

  it('counts what was received in between', async () => {
    const { intake, accept, clock } = start();
    await accept(batch(['A']));
    clock.pass(30_000);
    await accept(batch(['A']));
    clock.pass(30_000);
    const [due = ''] = await intake.tick();

    expect(intake.refreshOf(due)).toMatchObject({
      count: 2,
      first: '2026-11-20T07:00:00.000Z',
      last: '2026-11-20T07:00:30.000Z',
      at: '2026-11-20T07:01:00.000Z',
    });
  });
});
