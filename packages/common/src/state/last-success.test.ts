import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { memoryDegraded } from '../testing/memory-degraded.ts';
import { LastSuccess } from './last-success.ts';

const noon = Date.parse('2026-11-20T12:00:00Z');
const hour = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

async function openIn(dir: string, clock: FakeClock, bootId = 'boot-1') {
  const degraded = memoryDegraded();
  const times = await LastSuccess.open(dir, { clock, degraded, bootId });
  return { times, degraded };
}

/** Marks `bots` at noon, and starts again with the given clock and boot. */
async function restarted(clock: FakeClock, bootId: string) {
  const dir = await tempDir();
  const before = await openIn(dir, fakeClock(noon, 1000), 'boot-1');
  before.times.mark('bots');
  await before.times.close();
  return (await openIn(dir, clock, bootId)).times.get('bots');
}

describe('the time of last success', () => {
  it('is unknown before the first', async () => {
    const { times } = await openIn(await tempDir(), fakeClock(noon));

    expect(times.get('bots')).toBeUndefined();
  });

  it('may be some time ago', async () => {
    const { times } = await openIn(await tempDir(), fakeClock(noon));

    times.mark('bots', 60);

    expect(times.get('bots')).toBe(noon - 60_000);
  });

  it('follows the wall clock when that is corrected', async () => {
    const clock = fakeClock(0);
    const { times } = await openIn(await tempDir(), clock);
    times.mark('bots');

    clock.pass(hour);
    clock.setWall(noon);

    expect(times.get('bots')).toBe(noon - hour);
  });

  it('is the same after a restart', async () => {
    const success = fc.record({
      name: fc.stringMatching(/^[a-z][\w. -]*$/),
      ago: fc.nat(2000),
      wait: fc.nat(1e7),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(success), fc.nat(1e9), async (all, pause) => {
        const dir = await tempDir();
        const clock = fakeClock(noon, 1000);
        const { times } = await openIn(dir, clock);
        for (const { name, ago, wait } of all) {
          times.mark(name, ago);
          clock.pass(wait);
        }
        await times.close();
        clock.pass(pause);

        const next = await openIn(dir, clock);

        for (const { name } of all) expect(next.times.get(name)).toBe(times.get(name));
      }),
      runs(50),
    );
  });

  it('is right after a restart even if the wall clock was set back meanwhile', async () => {
    expect(await restarted(fakeClock(noon - 24 * hour, 4600), 'boot-1')).toBe(noon - 25 * hour);
  });

  it('is kept over a reboot', async () => {
    expect(await restarted(fakeClock(noon + hour, 60), 'boot-2')).toBe(noon);
  });

  it('is at most the boot when it would be later, so that it ages from there', async () => {
    const clock = fakeClock(noon - hour, 60);

    expect(await restarted(clock, 'boot-2')).toBe(noon - hour - 60_000);
  });

  it('is by the wall clock where the uptime says that it is another boot after all', async () => {
    expect(await restarted(fakeClock(noon + 2 * hour, 60), 'boot-1')).toBe(noon);
  });
});

describe('the file', () => {
  it('is written a minute after the first success, once for all of them', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const dir = await tempDir();
    const { times } = await openIn(dir, fakeClock(noon));

    times.mark('bots');
    times.mark('jumphost');
    vi.advanceTimersByTime(59_999);
    expect(await readdir(dir)).toEqual([]);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await times.close();

    const { lastSuccess } = JSON.parse(await readFile(join(dir, 'last-success.json'), 'utf8'));
    expect(Object.keys(lastSuccess)).toEqual(['bots', 'jumphost']);
  });

  it('is not written when nothing succeeded', async () => {
    const dir = await tempDir();
    const { times } = await openIn(dir, fakeClock(noon));

    await times.close();

    expect(await readdir(dir)).toEqual([]);
  });

  it.each(['', '{', '{"lastSuccess":{"bots":{"time":"never"}}}'])(
    'is set aside when it is broken: %j',
    async (text) => {
      const dir = await tempDir();
      await writeFile(join(dir, 'last-success.json'), text);

      const { times, degraded } = await openIn(dir, fakeClock(noon));
      times.mark('bots');
      await times.close();

      expect(await readFile(join(dir, 'last-success.json.bad'), 'utf8')).toBe(text);
      expect(degraded.raised.size).toBe(0);
      expect((await openIn(dir, fakeClock(noon))).times.get('bots')).toBe(noon);
    },
  );

  it('that cannot be written is degraded, not fatal', async () => {
    const dir = join(await tempDir(), 'missing');
    const { times, degraded } = await openIn(dir, fakeClock(noon));

    times.mark('bots');
    await times.close();

    expect(times.get('bots')).toBe(noon);
    expect(degraded.raised.get('last success')).toContain('the directory does not exist');
    await mkdir(dir);
    times.mark('bots');
    await times.close();
    expect(degraded.raised.size).toBe(0);
  });
});

describe('the metric', () => {
  it('shows all that should succeed, and nothing else', async () => {
    const registry = new Registry();
    const { times } = await openIn(await tempDir(), fakeClock(noon));
    times.expose(registry, {
      name: 'skolo_test_last_success_timestamp_seconds',
      help: 'test',
      label: 'identity',
      names: () => ['bots', 'jumphost'],
    });

    times.mark('bots');
    times.mark('gone');

    expect((await registry.metrics()).match(/^skolo.*$/gm)).toEqual([
      `skolo_test_last_success_timestamp_seconds{identity="bots"} ${noon / 1000}`,
      'skolo_test_last_success_timestamp_seconds{identity="jumphost"} 0',
    ]);
  });

  it('forgets what is no longer wanted', async () => {
    const { times } = await openIn(await tempDir(), fakeClock(noon));
    times.mark('bots');
    times.mark('gone');

    times.retain(['bots']);

    expect([times.get('bots'), times.get('gone')]).toEqual([noon, undefined]);
  });
});
