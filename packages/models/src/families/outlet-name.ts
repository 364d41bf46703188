/** Outlets as drivers are given them: checked against the facts of the model before they become part of a command. */
import { DeviceRefused } from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import { models } from '../index.ts';

/**
 * Its canonical name.
 *
 * @throws DeviceRefused The device has no such outlet.
 */
export function outletName({ name, model, options }: Device, outlet: string): string {
  const found = models.get(model)?.power?.outlets.find(outlet, options);
  // In a path, dots alone are another place.
  if (found === undefined || /^\.+$/.test(found)) {
    throw new DeviceRefused(name, `no outlet ${JSON.stringify(outlet)}`);
  }
  return found;
}

/** For models whose outlets are numbers. */
export function outletNumber(device: Device, outlet: string): number {
  return z.coerce.number().int().nonnegative().parse(outletName(device, outlet));
}

/** Number of its outlets in rack.yaml. */
export function outletCount({ options }: Device): number {
  return z.number().int().positive().parse(options.outlets);
}

/** @throws DeviceRefused It reports another number than rack.yaml: it is another device, or one is wrong. */
export function checkCount(device: Device, reported: number, nouns: string): void {
  const expected = outletCount(device);
  if (reported === expected) return;
  const what = `its number of ${nouns} is ${reported}, rack.yaml says ${expected}; is it another device?`;
  throw new DeviceRefused(device.name, what);
}
