/**
 * No device: the machine itself runs the tests, and it is always there.
 *
 * rack.yaml: `device: { kind: none }`, or no `device` at all.
 */
import { uptime } from 'node:os';
import { hostDimensions } from '../host/host-dimensions.ts';
import type { AttachedDevice, Device, DeviceDeps, Dimensions } from './device.ts';

/** What is installed changes rarely, and asking for it costs processes. */
const freshMs = 600_000;

export function none(_: AttachedDevice, { run, settings }: DeviceDeps): Device {
  let known: { dimensions: Dimensions; at: number } | undefined;
  return {
    async look(signal) {
      signal.throwIfAborted();
      if (known === undefined || performance.now() - known.at > freshMs) {
        const timeoutMs = settings().commandSeconds * 1000;
        const dimensions = await hostDimensions(run, { signal, timeoutMs });
        known = { dimensions, at: performance.now() };
      }
      const { dimensions } = known;
      return {
        state: 'present',
        reading: { dimensions, temperatures: {}, uptimeSeconds: uptime(), isReady: true },
      };
    },
    repairs: {},
  };
}
