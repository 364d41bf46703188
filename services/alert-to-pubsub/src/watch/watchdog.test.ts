import type { Receiver } from '@skolo/api';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { loggedEvents } from '../delivery/testing/delivery-lab.ts';
import { Watchdog, type WatchdogDeps } from './watchdog.ts';

const start = Date.parse('2026-11-20T12:00:00Z');
const minute = 60_000;

function setUp(before?: WatchdogDeps['before']) {
  const clock = fakeClock(start);
  const { emit, messages } = loggedEvents(clock);
  const now = {
    rejecting: undefined as string | undefined,
    withinSeconds: 300,
    receivers: undefined as Receiver[] | undefined,
  };
  const watchdog = new Watchdog({
    settings: () => ({ watchdog: { alert: 'Watchdog', ...now } }),
    capacity: now,
    times: { mark: () => undefined },
    ...(before && { before }),
    clock,
    emit,
  });
  return { clock, messages, now, watchdog };
}

describe('watchdog', () => {
  it('is healthy for a while after the start, and reports that it has received nothing', () => {
    const { clock, watchdog } = setUp();

    clock.pass(5 * minute);

    expect(watchdog.status()).toEqual({
      healthy: true,
      why: 'no alert, not even Watchdog, has been received since this service started at 2026-11-20T12:00:00Z',
    });
  });

  it('is unhealthy when it never received anything', () => {
    const { clock, watchdog } = setUp();

    clock.pass(5 * minute + 1000);

    expect(watchdog.status()).toEqual({
      healthy: false,
      why: 'Prometheus or Alertmanager has been silent since 2026-11-20T12:00:00Z, when this service started; check that both are running and sending to this service, and that the alert Watchdog always fires and is repeated',
    });
  });

  it.each(['Watchdog', 'HostDown'])('is healthy while alert %s comes', (alertname) => {
    const { clock, watchdog } = setUp();

    for (let i = 0; i < 20; i += 1) {
      clock.pass(4 * minute);
      watchdog.received(alertname, 'prometheus');
      clock.pass(4 * minute);
      expect(watchdog.status()).toEqual({
        healthy: true,
        lastHeard: clock.now() - 4 * minute,
      });
    }
  });

  it('reports since when it is silent, and logs once when that begins and when it is over', () => {
    const { clock, messages, watchdog } = setUp();
    clock.pass(minute);
    watchdog.received('Watchdog', 'prometheus');

    clock.pass(5 * minute + 1000);
    expect(watchdog.status().healthy).toBe(false);
    clock.pass(60 * minute);
    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: expect.stringContaining(
        'silent since 2026-11-20T12:01:00Z, when the alert Watchdog arrived',
      ),
      lastHeard: start + minute,
    });
    watchdog.received('Watchdog', 'prometheus');

    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: clock.now() });
    expect(messages).toEqual([
      'Prometheus or Alertmanager is silent',
      'Prometheus or Alertmanager is sending alerts again',
    ]);
  });

  it('uses the current settings', () => {
    const { clock, now, watchdog } = setUp();
    watchdog.received('Watchdog', 'prometheus');
    clock.pass(4 * minute);

    now.withinSeconds = 60;
    expect(watchdog.status().healthy).toBe(false);
    now.withinSeconds = 600;
    expect(watchdog.status().healthy).toBe(true);
  });

  it('is not moved by a wall clock that jumps', () => {
    const { clock, watchdog } = setUp();
    watchdog.received('Watchdog', 'prometheus');

    clock.setWall('2030-01-01T00:00:00Z');
    clock.pass(minute);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: clock.now() - minute });

    clock.setWall(0);
    watchdog.received('Watchdog', 'prometheus', start);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: 0 });
  });

  it('is not missing because this service was paused, and is missing until it arrives', () => {
    const { clock, messages, watchdog } = setUp();
    watchdog.received('Watchdog', 'prometheus');
    clock.pass(4 * minute);
    clock.sleep(60 * minute);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: start });
    clock.pass(4 * minute);
    expect(watchdog.status().healthy).toBe(true);

    clock.pass(minute + 1000);
    expect(watchdog.status().healthy).toBe(false);
    clock.sleep(60 * minute);
    expect(watchdog.status().healthy).toBe(false);
    expect(messages).toEqual(['Prometheus or Alertmanager is silent']);
  });

  it('is missed although this service is paused again and again', () => {
    const { clock, watchdog } = setUp();
    watchdog.received('Watchdog', 'prometheus');

    for (let i = 0; i < 15; i += 1) {
      clock.pass(minute);
      clock.sleep(minute);
    }

    expect(watchdog.status().healthy).toBe(false);
  });

  it('is unhealthy while no alert is accepted, and reports since when', () => {
    const { clock, now, watchdog } = setUp();
    watchdog.received('Watchdog', 'prometheus');
    clock.pass(minute);
    now.rejecting = 'the spool is full';
    watchdog.status();
    clock.pass(minute);

    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: 'no alert has been accepted since 2026-11-20T12:01:00Z: the spool is full',
    });

    now.rejecting = undefined;
    expect(watchdog.status().healthy).toBe(true);
  });

  it('does not count the time of a restart, in which it could not receive', () => {
    const lastAlive = start - 8 * 60 * minute;
    const { clock, watchdog } = setUp({ lastHeard: lastAlive - 30_000, lastAlive });

    expect(watchdog.status()).toMatchObject({ healthy: true, lastHeard: lastAlive - 30_000 });
    expect(watchdog.status().why).toContain('no alert, not even Watchdog, has been received');

    clock.pass(4.5 * minute + 1000);
    expect(watchdog.status().healthy).toBe(false);
  });

  it('does not look healthy for ever because it is restarted again and again', () => {
    const { watchdog } = setUp({ lastHeard: start - 20 * minute, lastAlive: start - 1000 });

    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: expect.stringContaining('silent since 2026-11-20T11:40:00Z, when an alert arrived'),
    });
  });
});

describe('the watchdog of each receiver', () => {
  const bothFor = ({ clock, watchdog }: ReturnType<typeof setUp>, minutes: number) => {
    for (let i = 0; i < minutes; i += 1) {
      clock.pass(minute);
      watchdog.received('Watchdog', 'alertmanager');
      watchdog.received('TargetsDown', 'prometheus');
    }
  };

  it('misses a dead Alertmanager, also while Prometheus reports it', () => {
    const lab = setUp();
    const { clock, watchdog, messages } = lab;
    bothFor(lab, 10);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: clock.now() });

    for (let i = 0; i < 6; i += 1) {
      clock.pass(minute);
      watchdog.received('AlertmanagerDown', 'prometheus');
    }

    expect(watchdog.status()).toEqual({
      healthy: false,
      why: 'Alertmanager has not sent anything to /webhook since 2026-11-20T12:10:00Z; check that it is running and sends Watchdog to this service; if it was removed on purpose, set watchdog.receivers in rack.yaml to a list without alertmanager',
      lastHeard: clock.now(),
    });
    expect(watchdog.receivers()).toEqual([
      { name: 'prometheus', isExpected: false, isSilent: false, lastHeard: timeAt(16) },
      { name: 'alertmanager', isExpected: true, isSilent: true, lastHeard: timeAt(10) },
    ]);
    watchdog.received('Watchdog', 'alertmanager');
    expect(watchdog.status().healthy).toBe(true);
    expect(messages).toEqual(['receiver is silent', 'receiver is no longer silent']);
  });

  it('is not expected of a receiver where only other alerts came', () => {
    const lab = setUp();
    bothFor(lab, 1);

    for (let i = 0; i < 10; i += 1) {
      lab.clock.pass(minute);
      lab.watchdog.received('Watchdog', 'alertmanager');
    }

    expect(lab.watchdog.status().healthy).toBe(true);
  });

  it('follows the settings, for a receiver that was removed and for one that never sent', () => {
    const lab = setUp();
    bothFor(lab, 1);
    lab.clock.pass(6 * minute);
    lab.watchdog.received('TargetsDown', 'prometheus');
    expect(lab.watchdog.status().healthy).toBe(false);

    lab.now.receivers = ['prometheus'];
    expect(lab.watchdog.status().healthy).toBe(true);
    lab.now.receivers = [];
    expect(lab.watchdog.status().healthy).toBe(true);

    const another = setUp();
    another.now.receivers = ['alertmanager'];
    for (let i = 0; i < 6; i += 1) {
      another.clock.pass(minute);
      another.watchdog.received('Watchdog', 'prometheus');
    }
    expect(another.watchdog.status().why).toMatch(
      /^Alertmanager has not sent anything to \/webhook/,
    );
  });

  it('is remembered after a restart, and does not count the time in which it could not receive', () => {
    const lastAlive = start - 8 * 60 * minute;
    const { clock, watchdog } = setUp({
      lastHeard: lastAlive,
      lastAlive,
      receivers: { alertmanager: lastAlive },
    });
    expect(watchdog.status().healthy).toBe(true);

    clock.pass(5 * minute + 1000);
    watchdog.received('TargetsDown', 'prometheus');

    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: expect.stringContaining(
        'Alertmanager has not sent anything to /webhook since 2026-11-20T04',
      ),
    });
  });
});

function timeAt(minutes: number): string {
  return new Date(start + minutes * minute).toISOString();
}
