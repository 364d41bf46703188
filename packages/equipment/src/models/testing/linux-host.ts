/** A Linux host behind a real sshd, with the model that backs it up. */
import { type LinuxHost, type LinuxHostOptions, peer, startLinuxHost } from '@skolo/simulators';
import { onTestFinished, type TestContext } from 'vitest';
import type { BackupModel } from '../contract/backup.ts';
import { backup } from '../linux/backup.ts';
import { type RealDevice, realDevice } from './real-device.ts';

export interface SittingHost extends RealDevice {
  host: LinuxHost;
  model: BackupModel;
}

/** @param optionsFor as in rack.yaml, for a host with this root */
export async function linuxHost(
  context: TestContext,
  optionsFor: (root: string) => Record<string, unknown>,
  options?: LinuxHostOptions,
): Promise<SittingHost> {
  const host = await startLinuxHost(options);
  if (!host) return context.skip('sshd is not installed');
  onTestFinished(() => host.close());
  const real = await realDevice(host, { model: 'linux', options: optionsFor(host.root) });
  return { ...real, host, model: backup(real.device) };
}

const programs = 'find tar xargs sha256sum cp mv mkdir sh chmod chown rm rmdir ls cat sort';

/** All programs are BusyBox's. */
export async function makeBusybox(context: TestContext, host: LinuxHost): Promise<void> {
  const busybox = peer('busybox');
  if (!busybox) return context.skip('busybox is not installed');
  for (const name of programs.split(' ')) {
    await host.program(name, `exec ${busybox} ${name} "$@"`);
  }
}
