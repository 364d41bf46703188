import { AlertMessage } from '@skolo/alerts';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../intake/fingerprint.ts';
import type { ReceivedAlert } from '../receive/batch.ts';
import { createIds } from './ids.ts';
import {
  isRefreshDue,
  type Moment,
  memoryOf,
  pass,
  refreshOf,
  restored,
  type Tracked,
  type Update,
  update,
} from './known-alerts.ts';

const settings = { refreshSeconds: 60, repeatHours: 24 };
const newId = createIds(0);
const start = Date.parse('2026-11-20T07:00:00Z');
const labels = { alertname: 'InstanceDown', instance: 'rpi-1' };
const minutes = (count: number) => count * 60;

/** So many seconds after the beginning. */
const after = (seconds: number): Moment => ({ now: start + seconds * 1000, uptime: seconds });

function received(alert: Partial<ReceivedAlert>, endpoint: Update['endpoint'] = 'v2'): Update {
  const full = { labels, annotations: {}, ...alert };
  return { fingerprint: fingerprintOf(full.labels), alert: full, bytes: memoryOf(full), endpoint };
}

/** Receives each update at its second, one after the other; only lets time pass where there is no update. */
function story(...steps: [number, Update?][]): {
  outcomes: string[];
  tracked: Tracked | undefined;
} {
  let tracked: Tracked | undefined;
  const outcomes: string[] = [];
  let before = 0;
  for (const [seconds, sent] of steps) {
    const since = before;
    if (sent === undefined) before = seconds;
    if (sent === undefined && tracked === undefined) continue;
    const change =
      sent === undefined
        ? tracked && pass(tracked, after(seconds), settings, newId, (since) => seconds - since)
        : update(tracked, sent, after(seconds), settings, newId);
    if (change === undefined) {
      if (tracked === undefined || !isRefreshDue(tracked, since, after(seconds), settings))
        continue;
      tracked = { ...tracked, messageAt: seconds };
      const refresh = refreshOf(tracked, after(seconds), newId);
      expect(AlertMessage.parse(refresh)).toEqual(refresh);
      outcomes.push(`${seconds} refresh ×${refresh?.count}`);
      continue;
    }
    if (change === 'forget') {
      tracked = undefined;
      outcomes.push(`${seconds} forgotten`);
      continue;
    }
    tracked = change.tracked;
    for (const message of change.messages) {
      expect(AlertMessage.parse(message)).toEqual(message);
      const { kind, alert, expired, count } = message;
      expect(kind).toBe('transition');
      outcomes.push(`${seconds} ${alert.status}${expired ? ' expired' : ''} ×${count}`);
    }
  }
  return { outcomes, tracked };
}

/** As Prometheus sends it: it expires after four minutes. */
const firing = (seconds: number, startsAt = 0): [number, Update] => [
  seconds,
  received({ startsAt: start + startsAt * 1000, endsAt: start + (seconds + 240) * 1000 }),
];
const ended = (seconds: number, endsAt = seconds): [number, Update] => [
  seconds,
  received({ startsAt: start, endsAt: start + endsAt * 1000 }),
];

describe('an alert of Prometheus', () => {
  it('fires once and is resolved once, however often it is repeated', () => {
    const { outcomes } = story(firing(0), firing(10), ended(20), ended(80, 20), ended(140, 20));

    expect(outcomes).toEqual(['0 firing ×1', '20 resolved ×3']);
  });

  it('fires again after it was resolved, also with the same start', () => {
    const { outcomes } = story(firing(0), ended(20), firing(30), ended(40));

    expect(outcomes).toEqual(['0 firing ×1', '20 resolved ×2', '30 firing ×1', '40 resolved ×2']);
  });

  it('keeps the end that was received first', () => {
    const { tracked } = story(firing(0), ended(20, 19), ended(80, 20));

    expect(tracked?.known.alert.endsAt).toBe('2026-11-20T07:00:19.000Z');
  });

  it('is published as resolved when it ended before it was first received', () => {
    expect(story(ended(20)).outcomes).toEqual(['20 resolved ×1']);
  });

  it('is refreshed after refreshSeconds, with how often it was received', () => {
    const { outcomes } = story(firing(0), firing(59), [60], firing(119), [120], [180]);

    expect(outcomes).toEqual(['0 firing ×1', '60 refresh ×2', '120 refresh ×3', '180 refresh ×3']);
  });

  it('waits for the next refresh when a message was sent a moment ago', () => {
    expect(story(firing(50), [60], [120]).outcomes).toEqual(['50 firing ×1', '120 refresh ×1']);
  });

  it('is resolved as expired when no sender repeats it before its end', () => {
    const { outcomes, tracked } = story(firing(0), [240], [241], [300]);

    expect(outcomes).toEqual(['0 firing ×1', '240 refresh ×1', '241 resolved expired ×1']);
    expect(tracked?.known.alert.endsAt).toBe('2026-11-20T07:04:01.000Z');
  });

  it('has two ends and starts when the first end was missed', () => {
    const { outcomes } = story(firing(0), firing(60), firing(600, 500));

    expect(outcomes).toEqual(['0 firing ×1', '600 resolved expired ×2', '600 firing ×1']);
  });

  it('is one, though two Prometheis give it different starts', () => {
    const { outcomes, tracked } = story(firing(0, 0), firing(5, -7), firing(60, 0), firing(65, -7));

    expect(outcomes).toEqual(['0 firing ×1']);
    expect(tracked?.known.alert.startsAt).toBe('2026-11-20T07:00:00.000Z');
  });

  it('is one, though the second Prometheus sees it after the last update of the first', () => {
    expect(story(firing(0, 0), firing(15, 15), firing(60, 0)).outcomes).toEqual(['0 firing ×1']);
  });

  it.each(['v2', 'webhook'] as const)(
    'is one at %s, though its sender is ahead by a second',
    (endpoint) => {
      const ahead = {
        startsAt: start + 1000,
        ...(endpoint === 'v2' && { endsAt: start + 241_000 }),
      };
      const sent = received(
        { ...ahead, ...(endpoint === 'webhook' && { status: 'firing' }) },
        endpoint,
      );

      expect(story([0, sent], [0.5, sent], [60, sent]).outcomes).toEqual(['0 firing ×1']);
    },
  );

  it('without an end is good for five minutes, as in Alertmanager', () => {
    const { outcomes } = story([0, received({})], [300], [301]);

    expect(outcomes).toEqual(['0 firing ×1', '300 refresh ×1', '301 resolved expired ×1']);
  });

  it('is forgotten when no sender repeats any more that it is resolved', () => {
    const { outcomes } = story(
      firing(0),
      ended(20),
      ended(minutes(15), 20),
      [minutes(34)],
      [minutes(36)],
    );

    expect(outcomes).toEqual(['0 firing ×1', '20 resolved ×2', `${minutes(36)} forgotten`]);
  });

  it('keeps the newest annotations, and unknown fields', () => {
    const { tracked } = story(firing(0), [
      10,
      received({ annotations: { value: '9' }, more: { foo: 1 }, generatorURL: 'http://p/g' }),
    ]);

    expect(tracked?.known.alert).toMatchObject({
      annotations: { value: '9' },
      more: { foo: 1 },
      generatorURL: 'http://p/g',
      startsAt: '2026-11-20T07:00:00.000Z',
    });
  });
});

describe('an alert of the webhook', () => {
  const hook = (status: 'firing' | 'resolved') => received({ status, startsAt: start }, 'webhook');

  it('fires for as long as Alertmanager may take to repeat it', () => {
    const hours = 3600;
    const { outcomes } = story([0, hook('firing')], [24 * hours], [24 * hours + 1]);

    expect(outcomes).toEqual([
      '0 firing ×1',
      `${24 * hours} refresh ×1`,
      `${24 * hours + 1} resolved expired ×1`,
    ]);
  });

  it('has two ends and starts when the first end was missed', () => {
    const again = received({ status: 'firing', startsAt: start + 50_000 }, 'webhook');

    expect(story([0, hook('firing')], [60, again], [120, again]).outcomes).toEqual([
      '0 firing ×1',
      '60 resolved expired ×1',
      '60 firing ×1',
    ]);
  });

  it('fires again with the same start when it was Alertmanager that had missed it', () => {
    expect(
      story([0, hook('firing')], [9, hook('resolved')], [20, hook('firing')]).outcomes,
    ).toEqual(['0 firing ×1', '9 resolved ×2', '20 firing ×1']);
    expect(story(firing(0), [241], [300, hook('firing')]).outcomes).toEqual([
      '0 firing ×1',
      '241 resolved expired ×1',
      '300 firing ×1',
    ]);
  });

  it('is the same as at the other endpoints', () => {
    const { outcomes } = story([0, hook('firing')], firing(1), ended(2), [3, hook('resolved')]);

    expect(outcomes).toEqual(['0 firing ×1', '2 resolved ×3']);
  });
});

describe.each(['webhook', 'v2'] as const)('a later start at %s', (endpoint) => {
  const sent = (startsAt: number, until: number, endsKnownSince?: number): Update => ({
    ...received(
      {
        startsAt: start + startsAt * 1000,
        ...(endpoint === 'webhook' ? { status: 'firing' } : { endsAt: start + until * 1000 }),
      },
      endpoint,
    ),
    ...(endsKnownSince !== undefined && { endsKnownSince: start + endsKnownSince * 1000 }),
  });

  it.each([
    ['ends were known before the last message', 10],
    ['ends are known since the last message', 20],
    ['it is unknown since when ends are known', undefined],
  ])('is another firing if %s', (_, endsKnownSince) => {
    const { outcomes, tracked } = story(
      [0, sent(0, 240)],
      [20, sent(0, 260)],
      [600, sent(500, 840, endsKnownSince)],
    );

    expect(outcomes).toEqual(['0 firing ×1', '600 resolved expired ×2', '600 firing ×1']);
    expect(tracked?.known.alert.startsAt).toBe('2026-11-20T07:08:20.000Z');
  });

  it.each([
    ['another firing', 16, ['0 firing ×1', '7200 resolved expired ×1', '7200 firing ×1']],
    ['the same', 14, ['0 firing ×1']],
  ])(
    'is %s if it is %i minutes after all firing alerts had to be received again',
    (_, after, expected) => {
      const { outcomes } = story(
        [0, sent(0, 240)],
        [7200, sent(7190, 7440, 7190 - minutes(after))],
      );

      expect(outcomes).toEqual(expected);
    },
  );

  it('continues the firing if ends are known since a later time, and ends with it', () => {
    const over = received({ startsAt: start + 500_000, endsAt: start + 700_000 }, endpoint);
    if (endpoint === 'webhook') over.alert.status = 'resolved';

    const { outcomes, tracked } = story(
      [0, sent(0, 240)],
      [20, sent(0, 260)],
      [600, sent(500, 840, 21)],
      [660, sent(500, 900, 21)],
      [700, over],
    );

    expect(outcomes).toEqual(['0 firing ×1', '700 resolved ×5']);
    expect(tracked?.known.alert.startsAt).toBe('2026-11-20T07:00:00.000Z');
  });
});

describe.each(['webhook', 'v2', 'v1'] as const)(
  'the end of a firing with a later start at %s',
  (endpoint) => {
    it.each([
      ['were always known', -1],
      ['are known since the last message', 30],
      ['were never known', undefined],
    ])('resolves the firing that is open, in its rack, if ends %s', (_, endsKnownSince) => {
      const [from, to] = [start + 500_000, start + 600_000];
      const over = received({ startsAt: from, endsAt: to }, endpoint);
      if (endpoint === 'webhook') over.alert.status = 'resolved';
      if (endsKnownSince !== undefined) over.endsKnownSince = start + endsKnownSince * 1000;
      const [, open] = firing(0);

      const { outcomes, tracked } = story(
        [0, { ...open, endpoint, rack: 'rack4' }],
        [20, { ...open, endpoint, rack: 'rack4' }],
        [600, { ...over, rack: 'berlin' }],
      );

      expect(outcomes).toEqual(['0 firing ×1', '600 resolved ×3']);
      expect(tracked?.known).toMatchObject({
        rack: 'rack4',
        first: '2026-11-20T07:00:00.000Z',
        alert: { startsAt: '2026-11-20T07:00:00.000Z', endsAt: '2026-11-20T07:10:00.000Z' },
      });
    });
  },
);

describe('a later start that Prometheus posts itself, if Alertmanager posts the alert, too,', () => {
  const hook = received({ status: 'firing', startsAt: start }, 'webhook');

  it.each([32, 120, 300])('continues the firing after %i s without Prometheus', (pause) => {
    const { outcomes } = story(firing(0), [10, hook], firing(12 + pause, 9 + pause));

    expect(outcomes).toEqual(['0 firing ×1']);
  });

  it('is another firing if no Prometheus would have been silent for so long', () => {
    const { outcomes } = story(firing(0), [10, hook], firing(320, 311));

    expect(outcomes).toEqual(['0 firing ×1', '320 resolved expired ×2', '320 firing ×1']);
  });
});

it.each(['webhook', 'v2'] as const)(
  'the end of an earlier firing that arrives late at %s does not end this one',
  (endpoint) => {
    const sent = (from: number, to?: number) => {
      const status = to === undefined ? 'firing' : 'resolved';
      const endsAt = start + (to ?? 9999) * 1000;
      const alert = {
        startsAt: start + from * 1000,
        ...(endpoint === 'v2' || to ? { endsAt } : {}),
      };
      return received({ ...alert, ...(endpoint === 'webhook' && { status }) }, endpoint);
    };
    const { outcomes } = story(
      [0, sent(0)],
      [30, sent(0, 30)],
      [60, sent(60)],
      [70, sent(0, 30)],
      [90, sent(60, 90)],
    );

    expect(outcomes).toEqual(['0 firing ×1', '30 resolved ×2', '60 firing ×1', '90 resolved ×2']);
  },
);

const day = 86_400_000;

it.each([day, -day])('a clock that jumps ends no alert by %d ms', (jump) => {
  const { tracked } = update(undefined, firing(0)[1], after(0), settings, newId);
  const moment = { now: after(100).now + jump, uptime: 100 };

  expect(pass(tracked, moment, settings, newId, (since) => 100 - since)).toBeUndefined();
});

it('refreshes are spread over the period, and each alert has one in each', () => {
  const names = Array.from({ length: 600 }, (_, n) => `alert-${n}`);
  const alerts = names.map((name) => {
    const sent = received({ labels: { alertname: name }, endsAt: start + 3_600_000 });
    return update(undefined, sent, after(0), settings, newId).tracked;
  });
  const looks = Array.from({ length: 24 }, (_, look) => {
    const before = after(look * 5).uptime;
    const now = after(before + 5);
    const due = alerts.filter((tracked) => isRefreshDue(tracked, before, now, settings));
    for (const tracked of due) tracked.messageAt = now.uptime;
    return due.length;
  });

  // A refresh waits for its next turn when a message was sent a moment ago.
  const inSecondMinute = looks.slice(12);
  expect(inSecondMinute.reduce((sum, count) => sum + count)).toBe(600);
  expect(Math.max(...inSecondMinute)).toBeLessThan(100);
});

it('after a restart, an alert continues from its last message, and its sender gets time to repeat it', () => {
  const sent = { ...firing(0)[1], rack: 'rack4' };
  const { tracked, messages } = update(undefined, sent, after(0), settings, newId);
  const [message] = messages;
  const uptime = 100_000;
  const again = message && restored(message, { now: start, uptime }, settings);

  expect(again).toEqual({ ...tracked, receivedAt: uptime, messageAt: uptime });
  expect(again && pass(again, after(uptime + 241), settings, newId, () => 241)).toMatchObject({
    messages: [{ expired: true }],
  });
});
