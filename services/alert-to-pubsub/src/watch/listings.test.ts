import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import type { KnownAlert } from '../state/known-alerts.ts';
import { Listings, type Look } from './listings.ts';

const start = '2026-11-20T12:00:00.000Z';
const afterwards = Date.parse(start) + 60_000;
const url = 'http://192.168.1.8:9093';
const minute = 60;

/** An alert that fires, as its last webhook reported it. */
function alert(alertname: string, externalURL = 'http://jumphost:9093'): KnownAlert {
  return {
    alert: {
      fingerprint: alertname,
      status: 'firing',
      labels: { alertname },
      annotations: {},
      startsAt: start,
    },
    group: { externalURL },
    endpoint: 'webhook',
    first: start,
    last: start,
    count: 1,
    silentMs: 86_400_000,
  };
}

function setUp() {
  const clock = fakeClock('2026-11-20T12:10:00Z');
  const listings = new Listings(clock);
  const lab = {
    clock,
    listings,
    known: [alert('Disk'), alert('Heat')],
    watchdog: 'Watchdog',
    /** The names of alerts that are over, or why ends are not detected. */
    look(names: string[], look: Partial<Look> = {}): string[] | string {
      const uptime = clock.uptime();
      const over = lab.listings.add(
        {
          ...{ url, start, began: uptime, ended: uptime },
          listed: new Set(names),
          updatedAt: names.length > 0 ? afterwards : Number.NEGATIVE_INFINITY,
          hasWatchdog: names.includes('Watchdog'),
          ...look,
        },
        lab.known,
        lab.watchdog,
      );
      return lab.listings.why ?? [...over.keys()].map((known) => known.alert.fingerprint);
    },
    pass: (seconds: number) => clock.pass(seconds * 1000),
    /** Another process of the service continues. */
    restart() {
      const text = lab.listings.toText();
      lab.listings = new Listings(clock);
      lab.listings.restore(text);
    },
  };
  return lab;
}

/** Ends are detected from here on: of Disk and Heat. */
function proven(names: string[] = ['Disk', 'Heat']): ReturnType<typeof setUp> {
  const lab = setUp();
  lab.look(names);
  lab.pass(15 * minute);
  expect(lab.look(names)).toEqual([]);
  return lab;
}

const waiting = /may not have sent all alerts again .*detected from 2026-11-20T12:25:00Z on/;

describe('an end', () => {
  it('counts 15 minutes after the process first listed an alert, once two looks a minute apart do not list it', () => {
    const { look, pass, clock } = setUp();
    expect(look([])).toMatch(
      /does not list any alert that it received since its start at 2026-11-20T12:00:00.000Z; check/,
    );
    expect(look(['Disk', 'Heat'])).toMatch(waiting);
    pass(14 * minute);
    expect(look(['Heat'])).toMatch(waiting);
    pass(minute);

    expect(look(['Heat'])).toEqual([]);
    pass(59);
    expect(look(['Heat'])).toEqual([]);
    pass(1);
    expect(look(['Heat'])).toEqual(['Disk']);
    expect(clock.uptime()).toBe(100_000 + 16 * minute);
  });

  it('does not count again from a pause that no alert noticed', () => {
    const { look, pass, clock } = proven();
    clock.sleep(30_000);
    look(['Heat']);
    pass(minute);

    expect(look(['Heat'])).toEqual(['Disk']);
  });

  it('counts again from the end of a pause, in which Prometheus may have been paused, too', () => {
    const { look, pass, clock } = proven();
    clock.sleep(20 * minute * 1000);
    expect(look(['Heat'])).toMatch(
      /may not have sent all alerts again .* from 2026-11-20T13:00:00Z/,
    );
    pass(2 * minute);
    expect(look(['Heat'])).toMatch(/may not have sent all alerts again/);
    pass(13 * minute);
    look(['Heat']);
    pass(minute);

    expect(look(['Heat'])).toEqual(['Disk']);
  });

  it('does not count in a process that lists only what another one received', () => {
    const { look, pass } = setUp();
    const earlier = { updatedAt: Date.parse(start) - 1 };
    look(['Disk'], earlier);
    pass(60 * minute);

    expect(look(['Disk'], earlier)).toMatch(/does not list any alert that it received since/);
    expect(look(['Disk'], { start: 'yesterday' })).toMatch(/does not list any alert/);
  });

  it('does not depend on the clocks of Alertmanager and of this computer', () => {
    const { look, pass, clock } = setUp();
    const old = { start: '1970-01-01T00:00:10Z', updatedAt: 20_000 };
    look(['Disk', 'Heat'], old);
    clock.setWall('2036-01-01T00:00:00Z');
    pass(14 * minute);
    expect(look(['Heat'], old)).toMatch(/detected from 2036-01-01T00:15:00Z on/);
    clock.setWall(0);
    pass(minute);
    look(['Heat'], old);
    pass(minute);

    expect(look(['Heat'], old)).toEqual(['Disk']);
  });

  it('waits from the end of the first look to the beginning of the second, as one may take long', () => {
    const { look, clock } = proven();
    const now = clock.uptime();
    look(['Heat'], { ended: now + 30 });

    expect(look(['Heat'], { began: now + 89, ended: now + 89 })).toEqual([]);
    expect(look(['Heat'], { began: now + 90, ended: now + 90 })).toEqual(['Disk']);
  });

  it('counts again from the beginning when an alert that is missing is received again', () => {
    const lab = proven();
    lab.look(['Heat']);
    lab.pass(59);
    lab.known = [alert('Disk'), alert('Heat')];
    lab.look(['Heat']);
    lab.pass(59);

    expect(lab.look(['Heat'])).toEqual([]);
    lab.pass(1);
    expect(lab.look(['Heat'])).toEqual(['Disk']);
  });

  it('counts only for alerts that this Alertmanager has listed, or that name it', () => {
    const lab = proven(['Heat']);
    lab.known.push(alert('Fan', `${url}/`));
    lab.look(['Heat']);
    lab.pass(minute);

    expect(lab.look(['Heat'])).toEqual(['Fan']);
  });

  it('is not asked for while nothing fires', () => {
    const lab = setUp();
    lab.known = [];

    expect(lab.look([])).toEqual([]);
  });
});

describe('the process of Alertmanager', () => {
  const next = { start: '2026-11-20T12:30:00Z', updatedAt: Date.parse('2026-11-20T12:31:00Z') };

  it('waits for 15 minutes after each restart, and takes over the alerts', () => {
    const { look, pass } = proven();
    for (const second of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const restarted = { ...next, start: `2026-11-20T12:30:0${second}Z` };
      expect(look(['Heat'], restarted)).toMatch(/detected from/);
      pass(14 * minute);
      expect(look(['Heat'], restarted)).toMatch(/detected from/);
    }
    look(['Heat'], next);
    pass(15 * minute);
    expect(look(['Heat'], next)).toEqual([]);
    pass(minute);

    expect(look(['Heat'], next)).toEqual(['Disk']);
  });

  it('ends nothing that another one at the same URL lists, whichever responds', () => {
    const lab = proven();
    lab.look(['Heat'], next);
    lab.pass(14 * minute);
    lab.look(['Disk', 'Heat']);
    lab.pass(minute);
    for (const seconds of [minute, minute, minute]) {
      lab.pass(seconds);
      expect(lab.look(['Heat'], next)).toEqual([]);
    }

    expect(lab.look(['Heat'])).toEqual([]);
    lab.pass(minute);
    expect(lab.look(['Heat'], next)).toEqual(['Disk']);
  });

  it('does not wait longer than 15 minutes for another one that is gone', () => {
    const lab = proven();
    lab.look(['Heat'], next);
    lab.pass(15 * minute);
    lab.look(['Heat'], next);
    lab.pass(minute);

    expect(lab.look(['Heat'], next)).toEqual(['Disk']);
  });

  it.each([0, 1])('is remembered when the service is restarted with %d others', (others) => {
    const lab = proven();
    lab.pass(30);
    if (others > 0) lab.look(['Disk', 'Heat'], next);
    lab.restart();

    expect(lab.look(['Heat'])).toEqual([]);
    lab.pass(minute);
    // What the other one listed is not known any more.
    expect(lab.look(['Heat'])).toEqual(others > 0 ? [] : ['Disk']);
    if (others > 0) lab.look(['Disk', 'Heat'], next);
    lab.pass(minute);
    expect(lab.look(['Heat'])).toEqual(others > 0 ? [] : ['Disk']);
  });

  it('that has listed nothing yet is remembered as that', () => {
    const lab = proven();
    const { start } = next;
    lab.look([], { start });
    lab.restart();
    lab.pass(15 * minute);

    expect(lab.look([], { start })).toMatch(/does not list any alert that it received/);
  });

  it('is remembered before its 15 minutes are over, and never looks older than it is', () => {
    const lab = setUp();
    lab.look(['Disk', 'Heat']);
    lab.pass(14 * minute);
    lab.restart();
    expect(lab.look(['Heat'])).toMatch(waiting);
    lab.pass(minute);
    expect(lab.look(['Heat'])).toEqual([]);

    // Its Alertmanager kept running while this computer was restarted.
    const text = lab.listings.toText();
    const rebooted = setUp();
    rebooted.clock.pass(-99_990_000);
    rebooted.listings.restore(text);
    rebooted.pass(14 * minute);
    expect(rebooted.look(['Heat'])).toMatch(/detected from/);
    rebooted.pass(minute);
    expect(rebooted.look(['Heat'])).toEqual([]);
  });

  it.each(['', 'null', '["http://192.168.1.8:9093 Disk"]', '{"url":"', '{"listed":{}}'])(
    'is not known from the file %s, and nothing is over',
    (text) => {
      const lab = setUp();
      lab.listings.restore(text);
      lab.look(['Heat']);
      lab.pass(15 * minute);
      lab.look(['Heat']);
      lab.pass(minute);

      expect(lab.look(['Heat'])).toEqual([]);
    },
  );

  it('is another one at another URL', () => {
    const lab = proven();
    const elsewhere = { url: 'http://192.168.1.9:9093' };

    expect(lab.look(['Heat'], elsewhere)).toMatch(/detected from/);
    lab.pass(15 * minute);
    lab.look(['Heat'], elsewhere);
    lab.pass(minute);
    expect(lab.look(['Heat'], elsewhere)).toEqual([]);
  });
});

describe('the alert that always fires', () => {
  const blind =
    'Alertmanager does not list Watchdog, which always fires (watchdog.alert in rack.yaml); check that Prometheus is running and sends alerts to http://192.168.1.8:9093';

  it('proves nothing while it is missing, and for 15 minutes after it is back', () => {
    const lab = proven(['Disk', 'Heat', 'Watchdog']);
    for (const _ of [1, 2, 3]) {
      lab.pass(10 * minute);
      expect(lab.look([])).toBe(blind);
    }
    // Another Prometheus, or a person, sends this one.
    expect(lab.look(['Heat'])).toBe(blind);

    expect(lab.look(['Heat', 'Watchdog'])).toMatch(/detected from 2026-11-20T13:10:00Z on/);
    lab.pass(15 * minute);
    expect(lab.look(['Heat', 'Watchdog'])).toEqual([]);
    lab.pass(minute);
    expect(lab.look(['Heat', 'Watchdog'])).toEqual(['Disk']);
  });

  it('is expected of the next process, too, until rack.yaml names another alert', () => {
    const lab = proven(['Disk', 'Heat', 'Watchdog']);
    const next = { start: '2026-11-20T12:30:00Z', updatedAt: Date.parse('2026-11-20T12:31:00Z') };
    lab.restart();

    expect(lab.look(['Heat'], next)).toBe(blind);
    lab.pass(60 * minute);
    expect(lab.look(['Heat'], next)).toBe(blind);
    lab.watchdog = 'AlwaysFiring';
    expect(lab.look(['Heat'], next)).toMatch(/detected from/);
    lab.pass(15 * minute);
    expect(lab.look(['Heat'], next)).toEqual([]);
  });

  it('of another Alertmanager is not expected', () => {
    const lab = proven();
    lab.known.push(alert('Watchdog', 'http://other:9093'));
    lab.look(['Heat']);
    lab.pass(minute);

    expect(lab.look(['Heat'])).toEqual(['Disk']);
  });
});

/**
 * Minutes of a rack: Prometheus sends what fires to a pair of Alertmanagers behind one URL. It is down for hours, or does not reach one of
 * them, and both are restarted. An alert of which no word arrives for four minutes is no longer listed.
 */
function* minutesOf(random: (below: number) => number) {
  const names = ['Watchdog', ...Array.from({ length: 8 }, (_, i) => `Disk-${i}`)];
  const firing = new Set(names);
  /** From which minute on Prometheus sends an alert again after its own restart: its `for` is at most ten minutes. */
  const pendingUntil = new Map<string, number>();
  const pair = [0, 0.5].map((start) => ({
    start,
    isReached: true,
    heard: new Map<string, number>(),
  }));
  let [isUp, changedAt] = [true, 0];
  for (let minute = 1; minute <= 1500; minute += 1) {
    const isEnd = minute > 1400;
    const isCalm = isEnd || minute < 10;
    const name = names[1 + random(names.length - 1)] ?? '';
    if (isEnd || (!isCalm && random(60) === 0)) firing.delete(name);
    if (isUp ? !isCalm && random(120) === 0 : isCalm || random(60) === 0) {
      // Alertmanager itself does not notice that alerts are pending after a shorter outage: it resolves them.
      const isShort = minute - changedAt < 5;
      isUp = !isUp;
      changedAt = minute;
      for (const each of names.slice(1)) pendingUntil.set(each, isShort ? 0 : minute + random(11));
    }
    for (const one of pair) {
      if (isCalm || random(90) === 0) one.isReached = isCalm || !one.isReached;
      if (!isCalm && random(150) === 0)
        Object.assign(one, { start: one.start + 1, heard: new Map() });
      for (const each of isUp && one.isReached ? firing : []) {
        if (minute >= (pendingUntil.get(each) ?? 0)) one.heard.set(each, minute);
      }
    }
    const { start, heard } = pair[random(2)] ?? expect.fail('no process');
    const listed = [...heard].filter(([, at]) => minute - at < 4);
    const updatedAt = Math.max(...listed.map(([, at]) => at));
    yield { names, firing, isUp, start, listed: listed.map(([each]) => each), updatedAt };
  }
}

const time = (minute: number) => new Date(Date.parse(start) + minute * 60_000);

it.each(Array.from({ length: isLong ? 2000 : 30 }, (_, seed) => seed))(
  'no alert is over that fires, and each end is detected at last: seed %d',
  (seed) => {
    const lab = setUp();
    const next = seeded(seed);
    const random = (below: number) => Math.floor(next() * below);
    lab.known = [];
    const over = new Set<string>();
    for (const { names, firing, ...rack } of minutesOf(random)) {
      if (lab.known.length === 0) lab.known = names.map((each) => alert(each));
      lab.pass(minute);
      if (random(40) === 0) lab.restart();
      const found = lab.look(rack.listed, {
        start: time(rack.start).toISOString(),
        updatedAt: time(rack.updatedAt).getTime(),
      });
      for (const each of Array.isArray(found) ? found : []) {
        expect(firing.has(each), `${each} fires`).toBe(false);
        over.add(each);
        lab.known = lab.known.filter((known) => known.alert.fingerprint !== each);
      }
    }
    expect(lab.known.map((known) => known.alert.fingerprint)).toEqual(['Watchdog']);
    expect(over.size).toBe(8);
  },
);

describe('an alert that came last from another Alertmanager is left alone', () => {
  const other = 'http://other:9093';
  const left =
    '1 alert that Alertmanager does not list came last from http://other:9093, which may be another one; if it is the same one, set its --web.external-url to http://192.168.1.8:9093';

  it('and that is reported', () => {
    const lab = proven();
    lab.known = [alert('Disk', other), alert('Heat')];
    expect(lab.look(['Disk', 'Heat'])).toEqual([]);
    expect(lab.look(['Heat'])).toBe(left);
    lab.pass(60 * minute);
    expect(lab.look(['Heat'])).toBe(left);

    lab.known = [alert('Disk'), alert('Heat')];
    expect(lab.look(['Heat'])).toEqual([]);
    lab.pass(minute);
    expect(lab.look(['Heat'])).toEqual(['Disk']);
  });

  it('from the beginning, if others name the one of rack.yaml', () => {
    const lab = setUp();
    lab.known = [alert('Disk', other), alert('Heat', url)];
    lab.look(['Disk', 'Heat']);
    lab.pass(15 * minute);

    expect(lab.look([])).toBe(left);
    lab.pass(minute);
    expect(lab.look([])).toBe(left);
    lab.known = [alert('Disk', url), alert('Heat', url)];
    lab.look([]);
    lab.pass(minute);
    expect(lab.look([])).toEqual(['Disk', 'Heat']);
  });
});
