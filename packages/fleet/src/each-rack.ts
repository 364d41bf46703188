/** The same question to many racks at once. */
import { asError, inParallel } from '@skolo/errors';
import type { FleetRack } from './clusters.ts';
import { FleetError } from './errors.ts';

export interface RackAnswer<T> {
  rack: FleetRack;
  answer?: T;
  error?: Error;
}

export interface EachRackOptions {
  signal: AbortSignal;
  /** For one rack; default 20 s. */
  limitMs?: number;
}

/** Each needs processes of some 20 MB. */
const atOnce = 50;

/**
 * In the order of the racks. A rack that does not answer delays no other, as long as there are not 50 of them.
 *
 * @throws The signal's reason.
 */
export async function askEachRack<T>(
  racks: readonly FleetRack[],
  ask: (rack: FleetRack, signal: AbortSignal) => Promise<T>,
  { signal, limitMs = 20_000 }: EachRackOptions,
): Promise<RackAnswer<T>[]> {
  async function askOne(rack: FleetRack): Promise<RackAnswer<T>> {
    const late = new FleetError(`${rack.name}: no answer in ${limitMs / 1000} s`);
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    try {
      return { rack, answer: await ask(rack, AbortSignal.any([signal, limit.signal])) };
    } catch (error) {
      return { rack, error: limit.signal.aborted ? late : asError(error) };
    } finally {
      clearTimeout(timer);
    }
  }
  const answers = await inParallel(racks, atOnce, askOne);
  signal.throwIfAborted();
  return answers;
}
