import type { ServiceState } from '@skolo/api';

/**
 * Decides a service's state (ready, degraded, not ready, unreachable, unknown): the one verdict that the console, the command and the
 * metric show.
 *
 * @param isKnown whether it has answered, or enough requests have failed
 */
export function judged(facts: Omit<ServiceState, 'state'>, isKnown = true): ServiceState {
  const { reachable, ready, degraded } = facts;
  if (!isKnown) return { ...facts, state: 'unknown' };
  if (!reachable) return { ...facts, state: 'unreachable' };
  if (!ready) return { ...facts, state: 'not ready' };
  return { ...facts, state: degraded.length > 0 ? 'degraded' : 'ready' };
}
