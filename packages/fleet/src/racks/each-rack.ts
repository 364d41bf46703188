/** Sends the same query to many racks at the same time, and decides how many. */
import { asError, inParallel, withoutName } from '@skolo/base';
import { FleetError } from '../errors.ts';
import type { FleetRack } from './clusters.ts';

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

export type OnNextWay = (why: Error) => void;

/** Each requires processes of about 20 MB. */
const atOnce = 50;

/**
 * In the order of the racks. Racks that do not respond do not delay the others, unless 50 of them do not.
 *
 * @param ask calls `onNextWay` when a host in `ways` has failed; its reason is reported if none responds in time
 * @throws The signal's reason.
 */
export async function askEachRack<T>(
  racks: readonly FleetRack[],
  ask: (rack: FleetRack, signal: AbortSignal, onNextWay: OnNextWay) => Promise<T>,
  { signal, limitMs = 20_000 }: EachRackOptions,
): Promise<RackAnswer<T>[]> {
  async function askOne(rack: FleetRack): Promise<RackAnswer<T>> {
    let late = `${rack.name}: no response within ${limitMs / 1000} s`;
    const onNextWay: OnNextWay = ({ message }) => {
      late += `; ${withoutName(message, rack.name)}`;
    };
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    try {
      return { rack, answer: await ask(rack, AbortSignal.any([signal, limit.signal]), onNextWay) };
    } catch (error) {
      return { rack, error: limit.signal.aborted ? new FleetError(late) : asError(error) };
    } finally {
      clearTimeout(timer);
    }
  }
  const answers = await inParallel(racks, atOnce, askOne);
  signal.throwIfAborted();
  return answers;
}
