/**
 * What may go wrong with a device while it is backed up, on one simulated device after another: whatever it is, what
 * becomes a version is what the device has, or nothing does.
 */
import { DeviceError } from '@skolo/equipment';
import type { CliDevice, DeviceFault } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import type { BackupModel } from '../models/model.ts';
import { isSame } from '../text.ts';
import { account, bytesOf, proven, type Simulated, Unproven } from './simulated-device.ts';

export interface Sitting<Device extends CliDevice = CliDevice> extends Simulated {
  simulator: Device;
  model: BackupModel;
}

export interface FaultyDevice {
  /** A device of its own for each test; `small` where each byte takes its time. */
  sit(small: boolean): Promise<Sitting>;
  /** What it has now, in the form of a reading. */
  truth(sitting: Sitting): Buffer;
}

/** `whole`: it is read in spite of that. `failed`: it is not. `either`: whichever, as long as it is not wrong. */
type Outcome = 'whole' | 'failed' | 'either';

/** What is to come of each fault; a model may know better. */
const usual: Partial<Record<DeviceFault, Outcome>> = {
  down: 'failed',
  'drops-mid-way': 'failed',
  'drops-mid-configuration': 'failed',
  'cut-short': 'failed',
  'empty-answer': 'failed',
  'error-text': 'failed',
  garbled: 'failed',
  'refuses-login': 'failed',
  'pager-stays': 'whole',
  'prompt-in-banner': 'whole',
  'prompt-in-configuration': 'either',
  'long-banner': 'whole',
  trickles: 'whole',
  slow: 'whole',
  'odd-line-ends': 'whole',
  'odd-bytes': 'whole',
  'log-lines-between': 'whole',
  'huge-configuration': 'whole',
  'password-twice': 'either',
};

const huge = process.env.SKOLO_LONG === '1' ? 20 * 1024 * 1024 : 2 * 1024 * 1024;

/** One test for each fault that the device knows. */
export function itSurvives(
  { sit, truth }: FaultyDevice,
  special: Partial<Record<DeviceFault, Outcome>> = {},
): void {
  it.each(Object.entries({ ...usual, ...special }))(
    'is whole or not at all: %s (%s)',
    async (name, outcome) => {
      const sitting = await sit(name === 'trickles');
      const { simulator, model, connect } = sitting;
      const { faults } = simulator;
      onTestFinished(() => faults.clear());
      faults.slowMs = name === 'slow' ? 50 : 300;
      faults.hugeBytes = huge;
      // The name is one of the table's keys.
      if (!knows(simulator, name as DeviceFault)) return;

      const reading = await proven(model, connect({ idleMs: 4000 })).catch(
        (error: unknown) => error,
      );

      if (reading instanceof Error) {
        if (!(reading instanceof DeviceError || reading instanceof Unproven)) throw reading;
        expect([outcome, reading.message]).not.toEqual(['whole', reading.message]);
        expect(reading.message).not.toContain(account.password);
        return;
      }
      expect(outcome).not.toBe('failed');
      // `proven` gives a reading, or throws an Error.
      const { content } = reading as Awaited<ReturnType<typeof proven>>;
      const [got, wanted] = [bytesOf(content), truth(sitting)];
      expect(isSame(got, wanted, model), `${got.length} bytes, not ${wanted.length}`).toBe(true);
    },
  );
}

/** Sets the fault, where the device has it. */
function knows({ faults }: CliDevice, fault: DeviceFault): boolean {
  try {
    faults.set(fault);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
