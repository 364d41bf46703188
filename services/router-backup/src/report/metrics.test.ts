/** The metrics of a running service, and whether the alert rules use any others. */
import { readFileSync } from 'node:fs';
import { DeviceUnreachable, HostKeyChanged } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { FakeDevices } from '../testing/fake-device.ts';
import { startLab } from '../testing/lab.ts';

describe('metrics', () => {
  it('has all that the alert rules ask for', async () => {
    const rules = new URL('../../../../kube/base/prometheus/rules/backup.yaml', import.meta.url);
    const wanted = readFileSync(rules, 'utf8').match(/\bskolo_backup_\w+/g) ?? [];
    const { metrics } = await startLab();

    const text = await metrics();
    const known = text.split('\n').flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? []);

    expect(wanted).not.toEqual([]);
    expect(known).toEqual(expect.arrayContaining(wanted));
  });

  it('has the facts of each device that the alerts use', async () => {
    const devices = new FakeDevices();
    const { failures: off } = devices.get('switch-1');
    off.push(...Array(9).fill(new DeviceUnreachable('switch-1', 'is off')));
    devices.get('switch-2').failures.push(new HostKeyChanged('switch-2', 'shows another key'));
    const router = devices.get('router');
    router.startup = router.text.replace('hostname', 'no shutdown\nhostname');
    const { idle, metrics } = await startLab({ devices });
    await idle();

    const lines = (await metrics()).split('\n');
    const value = (series: string) =>
      lines.flatMap((line) => (line.startsWith(`${series} `) ? [Number(line.split(' ')[1])] : []));

    expect(value('skolo_backup_overdue_seconds')).toEqual([26 * 3600]);
    const [seen = 0] = value('skolo_backup_last_success_timestamp_seconds{device="router"}');
    expect(seen).toBeGreaterThan(1_700_000_000);
    expect(value('skolo_backup_last_success_timestamp_seconds{device="switch-1"}')).toEqual([0]);
    const [failures = 0] = value(
      'skolo_backup_failures_in_a_row{device="switch-1",class="unreachable"}',
    );
    expect(failures).toBeGreaterThanOrEqual(2);
    expect(value('skolo_backup_failures_in_a_row{device="switch-2",class="host-key"}')).toEqual([
      1,
    ]);
    expect(value('skolo_backup_unsaved{device="router"}')).toEqual([1]);
    expect(value('skolo_backup_repository_sound')).toEqual([1]);
  });
});
