import type { ServiceState } from '@skolo/api';

/**
 * Decides a service's state (ready, degraded, not ready, unreachable): the one verdict that the console, the command and the metric show.
 */
export function judged(facts: Omit<ServiceState, 'state'>): ServiceState {
  const { reachable, ready, degraded } = facts;
  if (!reachable) return { ...facts, state: 'unreachable' };
  if (!ready) return { ...facts, state: 'not ready' };
  return { ...facts, state: degraded.length > 0 ? 'degraded' : 'ready' };
}
