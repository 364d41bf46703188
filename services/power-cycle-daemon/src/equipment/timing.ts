import type { BackOffOptions } from '@skolo/base';
import type { WatchTuning } from '../machines/watch.ts';
import type { Patience } from './outlets.ts';

/**
 * The daemon's waiting times, in milliseconds: how long an outlet may take to change, how often a machine is probed, pauses between
 * retries. Tests wait less, because everything in memory responds immediately.
 */
export interface Timing {
  patience: Patience;
  watch: WatchTuning;
  /** Between attempts to turn an outlet on. */
  backOff: BackOffOptions;
  /** Between attempts to reach a controller. */
  contactPauseMs: number;
  /** How long a machine may take to draw power. */
  drawMs: number;
  /** Between attempts to open the journal, or to write what it did not accept. */
  retryMs: number;
}

export const usualTiming: Timing = {
  // PoE ports take about a second to show it; a slow PDU takes several.
  patience: { firstMs: 200, mostMs: 1000, withinMs: 6000 },
  // sshd penalises an address by a second for each connection without a sign-in; with fewer than one a second, none gather.
  watch: { lookMs: 2000, everyMs: 1500, downMs: 500 },
  backOff: { firstMs: 1000, maxMs: 60_000 },
  contactPauseMs: 5000,
  drawMs: 60_000,
  retryMs: 5000,
};
