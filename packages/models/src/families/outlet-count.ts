/** Checks the number of outlets that a device reports. */
import { DeviceRejected } from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';

/** Number of outlets in rack.yaml. */
export function outletCount({ options }: Device): number {
  return z.number().int().positive().parse(options.outlets);
}

/** @throws DeviceRejected It differs from rack.yaml: it is another device, or one number is wrong. */
export function checkCount(device: Device, reported: number, nouns: string): void {
  const expected = outletCount(device);
  if (reported === expected) return;
  const what = `has ${reported} ${nouns}, but rack.yaml lists ${expected}; check that this is the right device`;
  throw new DeviceRejected(device.name, what);
}
