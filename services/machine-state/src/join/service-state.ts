import type { ServiceState } from '@skolo/api';

/** The one verdict about a service: the console, the command and the metric show it. */
export function judged(facts: Omit<ServiceState, 'state'>): ServiceState {
  const { reachable, ready, degraded } = facts;
  if (!reachable) return { ...facts, state: 'unreachable' };
  if (!ready) return { ...facts, state: 'not ready' };
  return { ...facts, state: degraded.length > 0 ? 'degraded' : 'ready' };
}
