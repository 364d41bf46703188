/** Decides what skolo only observes, as set by `acts: false` in rack.yaml. Pure. */
import { formatOutlet, losesPower, type Rack, whyNotActing } from '@skolo/rack';
import type { Target } from './targets.ts';

/** Why a target must not be switched: it is only observed, or its outlets also power something that is. Undefined: it may be. */
export function whyObserved({ machine, feeds }: Target, rack: Rack): string | undefined {
  const own = whyNotActing(rack, machine);
  const others = [...rack.machines.values()].filter((each) => whyNotActing(rack, each));
  if (own !== undefined || feeds.length === 0 || others.length === 0) return own;
  const outlets = new Set(feeds.map(formatOutlet));
  const dark = new Set(losesPower(rack, feeds));
  const other = others.find(
    ({ name, power, devices }) =>
      [name, ...devices.map(({ fullName }) => fullName)].some((each) => dark.has(each)) ||
      power.some((feed) => outlets.has(formatOutlet(feed))),
  );
  return other && `the outlet also powers ${other.name}, for which ${whyNotActing(rack, other)}`;
}
