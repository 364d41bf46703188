/** Injects every fault into backups of simulated devices: whatever happens, a version has the device's exact content, or there is none. */

import { isLong, sampleOf } from '@skolo/base/durable/fault-injection';
import { DeviceError, SignInRejected } from '@skolo/equipment/transports';
import { type CliDevice, type DeviceFault, deviceFaults } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { isSame } from '../configuration/text.ts';
import type { BackupModel } from '../contract/backup.ts';
import { account, backUp, bytesOf, type Sitting, setFault } from './simulated-device.ts';

interface FaultyDevice<Device extends CliDevice> {
  /** A separate device for each test; `small` if each byte takes a while. */
  sit(small: boolean): Promise<Sitting<Device> & { model: BackupModel }>;
  /** Its current content, in the form of a reading. */
  truth(device: Device): Buffer;
  /** If that cannot be compared. */
  isTrue?(got: Buffer, device: Device): boolean;
}

/** `whole`: it is read nevertheless. `failed`: it is not. `either`: both are fine, as long as nothing wrong is stored. */
type Outcome = 'whole' | 'failed' | 'either';

/** The expected result of each fault; a model may override it. */
const usual: Partial<Record<DeviceFault, Outcome>> = {
  down: 'failed',
  'drops-mid-way': 'failed',
  'drops-mid-configuration': 'failed',
  'cut-short': 'failed',
  'empty-answer': 'failed',
  'error-text': 'failed',
  garbled: 'failed',
  'rejects-login': 'failed',
  'password-expired': 'failed',
  'new-password-inside': 'failed',
  'pager-stays': 'whole',
  'prompt-in-banner': 'whole',
  'prompt-in-configuration': 'either',
  'long-banner': 'whole',
  trickles: 'whole',
  slow: 'whole',
  'odd-line-ends': 'whole',
  'odd-bytes': 'whole',
  'log-lines-between': 'whole',
  'logs-behind-prompt': 'whole',
  // Each of its empty lines waits for two seconds of silence.
  ...(isLong && { 'odd-logs-behind-prompt': 'whole' }),
  'log-inside-line': 'whole',
  'line-like-log': 'whole',
  'control-bytes': 'whole',
  'huge-configuration': 'whole',
  'password-twice': 'either',
};

/** Of a configuration. */
export const hugeBytes: number = isLong ? 20 * 1024 * 1024 : 512 * 1024;

/** One test for each fault that the device supports; a sample has one for each outcome, and configuration-faults.test.ts all of two switches. */
export function itSurvives<Device extends CliDevice>(
  { sit, truth, isTrue }: FaultyDevice<Device>,
  special: Partial<Record<DeviceFault, Outcome>> = {},
): void {
  const expected = { ...usual, ...special };
  const outcomes = ['whole', 'failed', 'either'] as const;
  const faults = outcomes.flatMap((outcome) => {
    const all = deviceFaults.filter((fault) => expected[fault] === outcome);
    return sampleOf(all).map((fault) => ({ fault, outcome }));
  });
  it.each(faults)('is whole or not at all: $fault ($outcome)', async ({ fault, outcome }) => {
    const { device, model, connect } = await sit(fault === 'trickles');
    device.faults.slowMs = fault === 'slow' ? 50 : 300;
    device.faults.hugeBytes = hugeBytes;
    if (!setFault(device, fault)) return;

    // A hanging device times out soon; a slow one, as under load in tests, does not.
    const idleMs = outcome === 'whole' ? 60_000 : 4000;
    const [result] = await Promise.allSettled([backUp(model, connect({ idleMs }))]);

    if (result.status === 'rejected') {
      if (isAboutPassword(fault)) expect(result.reason).toBeInstanceOf(SignInRejected);
      expect(device.received.map(({ text }) => text).join()).not.toContain('new password');
      expect(outcome, String(result.reason)).not.toBe('whole');
      expect(isFailure(result.reason), String(result.reason)).toBe(true);
      expect(String(result.reason)).not.toContain(account.password);
      return;
    }
    expect(outcome).not.toBe('failed');
    const [got, wanted] = [bytesOf(result.value.content), truth(device)];
    const isWanted = isTrue?.(got, device) ?? (await isSame(got, wanted, model));
    expect(isWanted, `${got.length} bytes, not ${wanted.length}`).toBe(true);
  });
}

function isAboutPassword(fault: DeviceFault): boolean {
  return ['rejects-login', 'password-expired', 'new-password-inside'].includes(fault);
}

/** An error that the service has a class for. */
function isFailure(error: unknown): boolean {
  if (error instanceof DeviceError) return true;
  return error instanceof Error && error.message.startsWith('incomplete: ');
}
