/** Decides whether skolo may act on a machine or piece of equipment, or only observe it (`acts: false` in rack.yaml). */
import type { Machine, Rack } from './rack.ts';

/** Why skolo takes no action on a machine, or, without one, on the equipment of the rack; undefined: it acts. */
export function whyNotActing(
  rack: Pick<Rack, 'acts'>,
  machine?: Pick<Machine, 'acts'>,
): string | undefined {
  if (machine?.acts ?? rack.acts) return undefined;
  return '`acts: false` in rack.yaml prohibits this, so nothing was done; to let skolo act, set `acts: true`';
}
