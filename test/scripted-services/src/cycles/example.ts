import type { PowerCycle } from '@skolo/api';

/** When it was requested. */
export const askedAt = Date.parse('2026-11-20T07:30:00Z');

export function at(seconds: number): string {
  return new Date(askedAt + seconds * 1000).toISOString();
}

/** A cycle that waits for its turn. */
export function exampleCycle(target: string, more: Partial<PowerCycle> = {}): PowerCycle {
  return {
    id: `id-of-${target}`,
    target,
    action: 'cycle',
    mode: 'auto',
    outlets: ['switch-1/1'],
    reason: 'offline',
    by: 'ann',
    origin: 'person',
    requestedAt: at(0),
    offSeconds: 5,
    force: false,
    step: 'queued',
    steps: [{ at: at(0), step: 'queued', text: 'requested by ann' }],
    ...more,
  };
}
