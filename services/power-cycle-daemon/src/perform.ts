/** Carries out one effect of a cycle on the world, and tells what came of it. */
import { formatOutlet } from '@skolo/rack';
import type { CycleEvent, Effect } from './cycle.ts';
import type { Hands } from './hands.ts';
import { back, check, reboot, watchDown } from './machine-steps.ts';
import { allOff, contact, waitOff } from './outlet-steps.ts';
import { type CycleRecord, feedKey } from './records.ts';
import type { Target } from './targets.ts';

/** What is done here; turns are given, and power is paid back, by others. */
export type Performed = Exclude<Effect, 'none' | 'wait-for-turn' | 'turn-on'>;

/**
 * @param target undefined: it is no longer in rack.yaml
 * @throws The signal's reason, when the daemon stops.
 */
export async function perform(
  effect: Performed,
  record: CycleRecord,
  target: Target | undefined,
  hands: Hands,
  signal: AbortSignal,
): Promise<CycleEvent> {
  switch (effect) {
    case 'check':
      return check(target, hands, signal);
    case 'soft-reboot': {
      const why = whyNot(record, target, hands);
      if (why !== undefined) return { is: 'soft-impossible', text: why };
      return reboot(record, target, hands, signal);
    }
    case 'watch-down':
      return watchDown(record, target, hands, signal);
    case 'contact': {
      const why = whyNot(record, target, hands);
      if (why !== undefined) return { is: 'forbidden', text: why };
      return contact(record, hands, signal);
    }
    case 'turn-off': {
      const moved = whyMoved(record, target);
      if (moved !== undefined) {
        return { is: record.action === 'off' ? 'forbidden' : 'off-failed', text: moved };
      }
      return allOff(record, target, hands, signal);
    }
    case 'wait-off':
      return waitOff(record, target, hands, signal);
    case 'see-back':
      return back(record, target, hands, signal);
  }
}

/** Why it is not to be begun any more, or not to be gone on with. */
export function whyNot(
  record: CycleRecord,
  target: Target | undefined,
  { whyNoLonger }: Pick<Hands, 'whyNoLonger'>,
): string | undefined {
  return whyMoved(record, target) ?? (target && whyNoLonger(record, target));
}

/** Since it was asked for, rack.yaml may have given its outlet to somebody else. */
function whyMoved(
  { target: name, feeds }: CycleRecord,
  target: Target | undefined,
): string | undefined {
  if (target === undefined) return `${name} is no longer in rack.yaml`;
  const [then, now] = [feeds.map(feedKey).join(', '), target.feeds.map(formatOutlet).join(', ')];
  if (then === now) return undefined;
  return `${name} is not fed by ${then} any more, but by ${now || 'nothing'}; ask again`;
}
