/** Checks the number of outlets that a device reports. */
import { count } from '@skolo/base';
import { DeviceRejected } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';

/** Number of outlets in rack.yaml. */
export function outletCount({ options }: Device): number {
  return z.number().int().positive().parse(options.outlets);
}

/** @throws DeviceRejected It differs from rack.yaml: it is another device, or one number is wrong. */
export function checkCount(
  device: Device,
  reported: number,
  noun: string,
  plural = `${noun}s`,
): void {
  const expected = outletCount(device);
  if (reported === expected) return;
  const what = `has ${count(reported, noun, plural)}, but \`outlets\` is ${expected}; check that this is the right equipment, or fix \`outlets\` in rack.yaml`;
  throw new DeviceRejected(device.name, what);
}
