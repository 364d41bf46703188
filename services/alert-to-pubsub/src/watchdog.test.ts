import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { memoryLog } from './testing/delivery-lab.ts';
import { Watchdog, type WatchdogDeps } from './watchdog.ts';

const start = Date.parse('2026-11-20T12:00:00Z');
const minute = 60_000;

function setUp(before?: WatchdogDeps['before']) {
  const clock = fakeClock(start);
  const { log, messages } = memoryLog();
  const now = { refusing: undefined as string | undefined, withinSeconds: 300 };
  const watchdog = new Watchdog({
    settings: () => ({ alert: 'Watchdog', withinSeconds: now.withinSeconds }),
    refusing: () => now.refusing,
    ...(before && { before }),
    clock,
    log,
  });
  return { clock, messages, now, watchdog };
}

describe('watchdog', () => {
  it('is well for a while after the start, and says that it has heard of nobody', () => {
    const { clock, watchdog } = setUp();

    clock.pass(5 * minute);

    expect(watchdog.status()).toEqual({
      healthy: true,
      why: 'not heard of yet: neither the alert Watchdog nor any other came since this service started at 2026-11-20T12:00:00Z',
    });
  });

  it('is not well when nobody was ever heard of', () => {
    const { clock, watchdog } = setUp();

    clock.pass(5 * minute + 1000);

    expect(watchdog.status()).toEqual({
      healthy: false,
      why: 'Prometheus or Alertmanager is silent since 2026-11-20T12:00:00Z, when this service started: see that both run and send here, and that the alert Watchdog always fires and is repeated',
    });
  });

  it.each(['Watchdog', 'HostDown'])('is well as long as the alert %s is heard of', (alertname) => {
    const { clock, watchdog } = setUp();

    for (let i = 0; i < 20; i += 1) {
      clock.pass(4 * minute);
      watchdog.heard({ alertname });
      clock.pass(4 * minute);
      expect(watchdog.status()).toEqual({
        healthy: true,
        lastHeard: clock.now() - 4 * minute,
      });
    }
  });

  it('says since when it is silent, and logs it once, and when it is over', () => {
    const { clock, messages, watchdog } = setUp();
    clock.pass(minute);
    watchdog.heard({ alertname: 'Watchdog' });

    clock.pass(5 * minute + 1000);
    expect(watchdog.status().healthy).toBe(false);
    clock.pass(60 * minute);
    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: expect.stringContaining(
        'silent since 2026-11-20T12:01:00Z, when the alert Watchdog came',
      ),
      lastHeard: start + minute,
    });
    watchdog.heard({ alertname: 'Watchdog' });

    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: clock.now() });
    expect(messages).toEqual([
      'Prometheus or Alertmanager is silent',
      'Prometheus or Alertmanager is heard of again',
    ]);
  });

  it('does as the settings say now', () => {
    const { clock, now, watchdog } = setUp();
    watchdog.heard({ alertname: 'Watchdog' });
    clock.pass(4 * minute);

    now.withinSeconds = 60;
    expect(watchdog.status().healthy).toBe(false);
    now.withinSeconds = 600;
    expect(watchdog.status().healthy).toBe(true);
  });

  it('is not moved by a wall clock that jumps', () => {
    const { clock, watchdog } = setUp();
    watchdog.heard({ alertname: 'Watchdog' });

    clock.setWall(Date.parse('2030-01-01T00:00:00Z'));
    clock.pass(minute);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: clock.now() - minute });

    clock.setWall(0);
    watchdog.heard({ alertname: 'Watchdog' }, start);
    expect(watchdog.status()).toEqual({ healthy: true, lastHeard: 0 });
  });

  it('is not well while no alert is accepted, and says since when', () => {
    const { clock, now, watchdog } = setUp();
    watchdog.heard({ alertname: 'Watchdog' });
    clock.pass(minute);
    now.refusing = 'the spool is full';
    watchdog.status();
    clock.pass(minute);

    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: 'no alert is accepted since 2026-11-20T12:01:00Z: the spool is full',
    });

    now.refusing = undefined;
    expect(watchdog.status().healthy).toBe(true);
  });

  it('forgives after a restart the time in which nothing could be heard', () => {
    const lastAlive = start - 8 * 60 * minute;
    const { clock, watchdog } = setUp({ lastHeard: lastAlive - 30_000, lastAlive });

    expect(watchdog.status()).toMatchObject({ healthy: true, lastHeard: lastAlive - 30_000 });
    expect(watchdog.status().why).toContain('not heard of yet');

    clock.pass(4.5 * minute + 1000);
    expect(watchdog.status().healthy).toBe(false);
  });

  it('does not look well for ever because it is started again and again', () => {
    const { watchdog } = setUp({ lastHeard: start - 20 * minute, lastAlive: start - 1000 });

    expect(watchdog.status()).toMatchObject({
      healthy: false,
      why: expect.stringContaining('silent since 2026-11-20T11:40:00Z, when an alert came'),
    });
  });
});
