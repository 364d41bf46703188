/**
 * A jumphost with Debian's own kernel, started by BIOS and GRUB, on a computer that QEMU emulates: nothing differs when it works, which a
 * container cannot show, because it has no kernel, disk, boot loader or watchdog of its own; and a computer that hangs comes back by itself.
 */

import { onlyLong } from '@skolo/base/durable/fault-injection';
import { type Host, prepare, type StepProgress } from '@skolo/setup/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rackYamlOf, testSteps } from '../testing/test-steps.ts';
import {
  VirtualJumphost,
  virtualAddress,
  virtualSubnet,
  whyNoVirtual,
} from '../testing/virtual-jumphost.ts';

/** Steps that need k3s or its cluster: there is no room for it here. */
const ofCluster = new Set([
  ...['k3s-config', 'image-store', 'images', 'k3s', 'accounts', 'label', 'existing-system'],
  ...['cluster', 'services'],
]);

// Its counterpart is installed for the long run only, because it is large.
const why = onlyLong ?? whyNoVirtual();
const { signal } = new AbortController();
/** Half a minute on a quiet computer, which it shares with all other fault-injection tests. */
const start = { interval: 500 };

describe.skipIf(why)('a computer that hangs', () => {
  let computer: VirtualJumphost;
  let host: Host;
  let boot = '';

  /** Waits until it has started again. */
  async function started(): Promise<void> {
    const before = boot;
    await expect
      .poll(async () => {
        host ??= await computer.host(signal);
        boot = (await host.need('cat /proc/sys/kernel/random/boot_id')).trim();
        return boot;
      }, start)
      .not.toBe(before);
    await expect
      .poll(async () => (await host.run('systemctl is-system-running')).stdout.trim(), start)
      .toBe('running');
  }

  /** What its kernel prints until it has started again, after a command that may never end. */
  async function restartsAfter(command: string): Promise<string> {
    const printedBefore = computer.printed.length;
    await host.run(command, { deadlineMs: 10_000 }).catch(() => undefined);
    await started();
    return computer.printed.slice(printedBefore);
  }

  /** What the watchdog says of the last reset: 32 is its own (WDIOF_CARDRESET). */
  async function resetBy(): Promise<string> {
    return (await host.need('cat /sys/class/watchdog/watchdog0/bootstatus')).trim();
  }

  /** All steps that need no cluster, in their order. */
  async function run(isCheck: boolean): Promise<StepProgress[]> {
    const guard = {
      newSession: (stop: AbortSignal, server?: string) => computer.session(stop, server),
    };
    const yaml = rackYamlOf(virtualAddress, virtualSubnet);
    const steps = testSteps(computer.workstation, signal, guard, { yaml });
    const own = steps.filter(({ name }) => !ofCluster.has(name));
    return await prepare(host, own, { isCheck, signal, report: () => {} });
  }

  /** What is neither right nor was put right. */
  const faultsIn = (steps: readonly StepProgress[]) =>
    steps
      .filter(({ state }) => !/^(ok|changed)$/.test(state))
      .map(({ name, text }) => [name, text]);

  beforeAll(async () => {
    computer = await VirtualJumphost.create();
  });
  afterAll(() => computer?.scrap());

  it('is prepared', async () => {
    computer.powerOn();
    await started();
    await computer.settle(host);

    const prepared = await run(false);

    expect(faultsIn(prepared)).toEqual([]);
    expect(prepared.map(({ name }) => name)).toEqual(expect.arrayContaining(['boot', 'changes']));
  });

  it('has everything in effect after a power cut', async () => {
    await computer.powerOff();
    computer.powerOn();
    await started();

    const inEffect = await host.need(`systemctl show --value --property=RuntimeWatchdogUSec
cat /sys/class/watchdog/watchdog0/identity /sys/class/watchdog/watchdog0/timeout /proc/sys/kernel/panic
journalctl -b -u skolo-watchdog -o cat | grep 'watching /'
grep -wo fsck.repair=yes /proc/cmdline`);
    expect(inEffect.trim().split('\n')).toEqual([
      ...['30s', 'i6300ESB timer', '30', '10', 'watching /', 'fsck.repair=yes'],
    ]);
    const checked = await run(true);
    expect(checked.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(checked.find(({ name }) => name === 'hardware')?.text).toMatch(
      /^disk 0% worn; watchdog: i6300ESB timer; .*restarted without a shutdown at 20/,
    );
  });

  it('repairs its file system', async () => {
    // A shutdown, so that the journal of ext4 does not undo the damage.
    await host.run('systemctl poweroff', { deadlineMs: 10_000 }).catch(() => undefined);
    await computer.off();
    // `fsck -a` does not dare to repair that, and a person would have to.
    await computer.editDisk(['sif /usr/share/common-licenses/GPL-3 mode 0', 'ssv state 2']);
    computer.powerOn();
    await started();

    expect(await host.need('cat /run/initramfs/fsck.log')).toContain('FILE SYSTEM WAS MODIFIED');
  });

  it('is reset by its watchdog when it hangs', async () => {
    // Its only processor belongs to this process from then on.
    await restartsAfter(`echo -1 > /proc/sys/kernel/sched_rt_runtime_us
exec chrt --fifo 99 sh -c 'while :; do :; done'`);

    expect(await resetBy()).toBe('32');
  });

  it('restarts after a kernel panic', async () => {
    const printed = await restartsAfter('echo c > /proc/sysrq-trigger');

    expect(printed).toContain('Kernel panic');
    // Ten seconds of a loop of the kernel last longer on a busy computer, so its watchdog may come first.
    expect(printed).toContain('Rebooting in 10 seconds');
  });

  it('restarts when an error of its disk has made its root file system read-only', async () => {
    await host.need(`mkdir -p /run/systemd/system/skolo-watchdog.service.d
cat > /run/systemd/system/skolo-watchdog.service.d/test.conf <<END
[Service]
ExecStart=
$(systemctl cat skolo-watchdog | sed -n 's/^\\(ExecStart=.*\\) 600 /\\1 5 /p')
END
systemctl daemon-reload; systemctl restart skolo-watchdog
until journalctl -u skolo-watchdog -o cat | tail -n 1 | grep 'watching /'; do sleep 0.2; done`);

    const printed = await restartsAfter(
      'echo 1 > /sys/fs/ext4/$(findmnt -no SOURCE / | cut -d / -f 3)/trigger_fs_error',
    );

    expect(printed).toContain('reboot: Restarting system');
    expect(await resetBy()).toBe('0');
    expect(await host.need('cat /run/initramfs/fsck.log')).toContain('FILE SYSTEM WAS MODIFIED');
  });
});
