/** The steps of the repair ladder: their effects on a device, and which of them a device supports. */
import { errorText, oneLine, orAborted } from '@skolo/base';
import type { AttachedDevice, Device } from '../devices/device.ts';
import type { UsbPorts } from '../host/usb.ts';
import type { SendRequest } from '../http/signed-request.ts';
import type { RepairStep } from './ladder.ts';
import { requestPowerCycle } from './power-cycle-daemon.ts';
import type { StepResult } from './records.ts';

export interface StepDeps {
  usb: Pick<UsbPorts, 'cycle' | 'isKeptOff'>;
  usbOffSeconds: () => number;
  /** The power-cycle daemon's address; undefined: not known. */
  powerCycleDaemon: () => string | undefined;
  /** Signs requests to the power-cycle daemon. */
  request: SendRequest;
  localAddress?: string | undefined;
  /** Asks whether the machine is busy: a job may have been announced elsewhere since it was last known. Never throws. */
  askWhyBusy: () => Promise<string | undefined>;
}

const busySeconds = 60;

/** A device that can be repaired. */
export interface Patient {
  attached: AttachedDevice;
  device: Pick<Device, 'repairs'>;
}

/** The wanted steps that it supports, in the same order. */
export function stepsFor(
  wanted: readonly RepairStep[],
  { attached, device }: Patient,
  { powerCycleDaemon }: Pick<StepDeps, 'powerCycleDaemon'>,
): RepairStep[] {
  return wanted.filter((step) => {
    if (step === 'usb-cycle') return attached.power !== undefined;
    // The daemon knows what powers a device that is not on a port of this machine.
    if (step === 'power-cycle') return powerCycleDaemon() !== undefined;
    return device.repairs[step] !== undefined;
  });
}

/** Never throws: an error is part of its result. */
export async function doStep(
  step: RepairStep,
  patient: Patient,
  why: string,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<StepResult> {
  try {
    const busy = await orAborted(deps.askWhyBusy(), signal);
    if (busy) return { outcome: 'postponed', text: busy, later: busySeconds };
    return await perform(step, patient, why, deps, signal);
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    return { outcome: 'failed', text: oneLine(errorText(reason), 300) };
  }
}

async function perform(
  step: RepairStep,
  { attached, device }: Patient,
  why: string,
  deps: StepDeps,
  signal: AbortSignal,
): Promise<StepResult> {
  const { name, power } = attached;
  if (step === 'usb-cycle') {
    if (power === undefined)
      return {
        outcome: 'rejected',
        text: 'rack.yaml does not assign a USB port of this machine to the device',
      };
    const seconds = deps.usbOffSeconds();
    await deps.usb.cycle(power, seconds, signal);
    const text = `port ${power.hub}.${power.port} was off for ${seconds} s according to the hub, and is on again`;
    return { outcome: 'done', text };
  }
  if (step === 'power-cycle') {
    const url = deps.powerCycleDaemon();
    if (url === undefined)
      return { outcome: 'rejected', text: "the power-cycle daemon's address is unknown" };
    const { localAddress, request } = deps;
    return requestPowerCycle(name, `${name}: ${why}`, { url, request, localAddress }, signal);
  }
  const repair = device.repairs[step];
  if (repair === undefined)
    return { outcome: 'rejected', text: 'not available for devices of this kind' };
  await repair(signal);
  return { outcome: 'done', text: 'carried out' };
}
