/** How long a device's own cycle leaves an outlet off, checked before it becomes part of a command: 0 is "for ever" to some. */
import { CannotCycle } from './cannot-cycle.ts';

export interface SecondsRange {
  least: number;
  most: number;
}

/** @throws CannotCycle The device cannot do so by itself. */
export function offSecondsWithin(
  device: string,
  offSeconds: number,
  { least, most }: SecondsRange,
): number {
  if (offSeconds >= least && offSeconds <= most) return offSeconds;
  const what = `it cycles outlets for ${least} to ${most} s, not for ${offSeconds} s`;
  throw new CannotCycle(device, what);
}
