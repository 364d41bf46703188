import type { BackOffOptions } from '@skolo/common';
import type { WatchTuning } from '../machines/watch.ts';
import type { Patience } from './outlets.ts';

/** How long the daemon waits, in milliseconds. Tests wait less, because what is in memory answers at once. */
export interface Timing {
  patience: Patience;
  watch: WatchTuning;
  /** Between attempts to turn an outlet on again. */
  backOff: BackOffOptions;
  /** Between attempts to reach a controller. */
  contactPauseMs: number;
  /** Between attempts to open the journal, or to write what it did not take. */
  retryMs: number;
}

export const usualTiming: Timing = {
  // PoE ports need a second or so until they show it; a slow PDU needs some.
  patience: { firstMs: 200, mostMs: 1000, withinMs: 6000 },
  watch: { lookMs: 2000, everyMs: 500 },
  backOff: { firstMs: 1000, maxMs: 60_000 },
  contactPauseMs: 5000,
  retryMs: 5000,
};
