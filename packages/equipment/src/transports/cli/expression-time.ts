/** Limits what the regular expressions of a description may take in one turn of the event loop. */
import { SlowExpression, sharingTime, withinTime } from '@skolo/base/described-expression';
import { DeviceRejected } from '../errors.ts';

/** Milliseconds of CPU time. */
const mostMs = 50;

/**
 * Returns the result of work whose expressions share 50 ms.
 *
 * @param what the result, for errors: `prompt`
 * @throws DeviceRejected They take longer.
 */
export function withinTurn<T>(device: string, what: string, work: () => T): T {
  try {
    return sharingTime({ leftMs: mostMs }, work);
  } catch (error) {
    if (!(error instanceof SlowExpression)) throw error;
    throw new DeviceRejected(device, `no ${what}: ${error.message}`, { cause: error });
  }
}

/** Returns the result of a search in many lines, in which a limit for each test would cost more than the tests. */
export function searched<T>(find: () => T): T | undefined {
  return withinTime(find, mostMs);
}
