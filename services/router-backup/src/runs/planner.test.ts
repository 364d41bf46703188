import { fakeClock } from '@skolo/common/testing';
import { getTasks } from 'node-cron';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Lab, startIdleLab, startLab, threeDevices } from '../testing/lab.ts';

const origins = async (lab: Lab) => {
  const { backups } = await lab.admin.backups({ query: {} });
  return backups.map(({ origin }) => origin).reverse();
};

/** Stands at noon in Berlin; all devices have been read. */
async function atNoon(settings = '') {
  const clock = fakeClock('2026-11-20T11:00:00Z');
  const lab = await startIdleLab({ clock, settings });
  return { clock, lab };
}

const hour = 3_600_000;
const hourly = '    schedule: "0 * * * *"';

/** It is almost noon in Berlin, also for node-cron, and then it is. */
async function beforeNoon({ isMissed = false } = {}) {
  const noon = Date.parse('2026-11-20T11:00:00Z');
  // Without fake timers, whose time passes whenever expect.poll looks.
  vi.setSystemTime(noon - 300);
  onTestFinished(() => void vi.useRealTimers());
  const clock = fakeClock(noon - 300);
  const lab = await startIdleLab({ clock, settings: hourly });
  const tasks = [...getTasks().values()].filter(({ name }) => name === 'router-backup');
  if (isMissed) for (const task of tasks) await task.destroy();
  expect(tasks).toHaveLength(1);
  vi.setSystemTime(noon);
  clock.pass(300);
  return { clock, lab };
}

describe('the planner', () => {
  it('has node-cron start the run at its moment, once', async () => {
    const { clock, lab } = await beforeNoon();

    await expect.poll(() => origins(lab)).toEqual(['overdue', 'schedule']);
    await lab.idle();
    // The check of each minute finds the moment, too.
    clock.pass(5 * 60_000);
    await lab.edit(threeDevices.replace('2.3', '2.4'), hourly);
    await lab.idle();

    expect(await origins(lab)).toEqual(['overdue', 'schedule']);
  });

  it('makes up for a moment that node-cron has missed, once', async () => {
    const { clock, lab } = await beforeNoon({ isMissed: true });

    await lab.edit(threeDevices.replace('2.3', '2.4'), hourly);
    await lab.idle();
    const atTheMoment = await origins(lab);
    clock.pass(90_000);

    await expect.poll(() => origins(lab)).toEqual(['overdue', 'overdue']);
    expect(atTheMoment).toEqual(['overdue']);
  });

  it('makes up once for what passed while it was off, at the next start, and begins nothing at a start when nothing passed', async () => {
    const { clock, lab } = await atNoon();
    await lab.stop();
    clock.pass(72 * hour);

    const next = await startLab({ previous: lab, clock });
    await next.idle();
    const first = await origins(next);
    await next.stop();
    clock.pass(2 * hour);
    const again = await startLab({ previous: next, clock });
    await again.idle();

    expect(first).toEqual(['overdue', 'overdue']);
    expect(await origins(again)).toEqual(['overdue', 'overdue']);
    expect(await again.device('router')).toMatchObject({ state: 'ok' });
  });

  it('reads all others when one of an earlier run is not done', async () => {
    const { clock, lab } = await atNoon('    schedule: "0 13 * * *"');
    const hanging = lab.devices.get('switch-3');
    hanging.gate = new Promise(() => undefined);
    await lab.edit(`${threeDevices}  switch-3: { model: frr, address: 127.0.2.4 }\n`);
    await expect.poll(() => hanging.reads).toBe(1);

    clock.pass(hour + 90_000);

    await expect.poll(() => lab.devices.get('switch-2').reads).toBe(2);
    const { backups } = await lab.admin.backups({ query: {} });
    expect(backups[0]?.equipment.map(({ equipment }) => equipment)).not.toContain('switch-3');
    expect(hanging.reads).toBe(1);
  });

  it('shows a device as overdue that has not been read for too long', async () => {
    const { clock, lab } = await atNoon('    schedule: "0 0 1 1 *"');

    clock.pass(27 * hour);

    expect(await lab.device('router')).toMatchObject({ state: 'overdue' });
    expect(await lab.metrics()).toContain('skolo_backup_overdue_seconds 93600');
  });

  it('does not show it as overdue because the service was paused, but later, if it is not read by then', async () => {
    const { clock, lab } = await atNoon('    schedule: "0 0 1 1 *"');
    clock.pass(20 * hour);
    clock.sleep(24 * hour);

    expect(await lab.device('router')).toMatchObject({ state: 'ok' });
    clock.pass(27 * hour);
    expect(await lab.device('router')).toMatchObject({ state: 'overdue' });
  });

  it('starts the task of node-cron again when the clock was set, and ends it with the service', async () => {
    const { clock, lab } = await atNoon('    schedule: "0 0 1 1 *"');
    const tasks = () =>
      [...getTasks().values()].filter(({ name }) => name === 'router-backup').map(({ id }) => id);
    const before = tasks();

    clock.pass(hour);
    await lab.edit(threeDevices, '    schedule: "0 0 1 1 *"');
    const meanwhile = tasks();
    clock.setWall('2031-01-01T00:00:00Z');
    await expect.poll(tasks).not.toEqual(before);
    const after = tasks();
    clock.setWall('1970-01-01T00:00:00Z');
    await expect.poll(tasks).toEqual([]);
    clock.setWall('2026-11-21T00:00:00Z');
    await expect.poll(() => tasks().length).toBe(1);
    await lab.stop();

    expect(before).toHaveLength(1);
    expect(meanwhile).toEqual(before);
    expect(after).toHaveLength(1);
    expect(tasks()).toEqual([]);
  });

  it('takes over another schedule at once', async () => {
    const { clock, lab } = await atNoon('    schedule: "0 0 1 1 *"');

    await lab.edit(threeDevices, '    schedule: "* * * * *"');
    await expect
      .poll(async () => {
        clock.pass(60_000);
        return (await origins(lab)).length;
      })
      .toBeGreaterThan(1);
  });
});

describe('the inventory', () => {
  it('retires who left rack.yaml, forgets nothing, and goes on where it was when a device comes back', async () => {
    const { lab } = await atNoon();

    await lab.edit(threeDevices.replace(/ {2}switch-2.*\n/, ''));

    await expect.poll(async () => (await lab.device('switch-2')).state).toBe('retired');
    const { versions } = await lab.admin.versions({ params: { equipment: 'switch-2' }, query: {} });
    expect(versions).toHaveLength(1);
    expect(await lab.metrics()).not.toContain(
      'skolo_backup_last_success_timestamp_seconds{device="switch-2"}',
    );

    await lab.edit(threeDevices);

    await expect.poll(async () => (await lab.device('switch-2')).state).toBe('ok');
    expect((await lab.device('switch-2')).versions).toBe(1);
  });

  const lacking = [
    ['empty', 'equipment: {}'],
    ['half of it', 'equipment:\n  router: { model: frr, address: 127.0.2.1 }\n'],
  ] as const;
  it.each(lacking)(
    'takes a rack.yaml that is %s for an error, until a person asks for it',
    async (_, yaml) => {
      const { lab } = await atNoon();

      await lab.edit(yaml);
      await expect.poll(() => lab.degraded()).toContain('if this is the right file');
      const states = async () =>
        (await lab.admin.allEquipment({ query: {} })).equipment.map(({ state }) => state);
      const before = await lab.metrics();
      const missing = await lab.device('switch-2');
      await lab.run();

      expect(before).toContain('skolo_backup_last_success_timestamp_seconds{device="switch-2"}');
      expect(missing).toMatchObject({ state: 'not-backed-up', versions: 1 });
      expect(missing.why).toContain('if this is the right file');
      expect((await states()).filter((state) => state === 'retired').length).toBeGreaterThan(1);
      expect(await lab.degraded()).not.toContain('if this is the right file');
    },
  );
});
