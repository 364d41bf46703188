/** What the policy looks at, as it is now. */
import type { Clock } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { ControllerTrust } from './controller-trust.ts';
import type { Controllers } from './controllers.ts';
import type { PastCycles } from './past-cycles.ts';
import type { Situation } from './policy.ts';
import type { Store } from './store.ts';

export interface SituationDeps {
  rack: () => Rack;
  store: Store;
  controllers: Pick<Controllers, 'get'>;
  past: PastCycles;
  trust: ControllerTrust;
  clock: Clock;
}

export function situationOf(deps: SituationDeps): Situation {
  const { rack, store, controllers, past, trust, clock } = deps;
  return {
    rack: rack(),
    now: clock.now(),
    uptime: clock.uptime(),
    holds: [...store.holds.all.values()],
    switchedOff: store.switchedOff.all,
    pendingOns: store.pendingOns.all,
    failing: trust.failing(),
    active: store.active(),
    past: past.list(),
    cyclesNatively: ({ device }, offSeconds) =>
      controllers.get(device)?.cyclesNatively(offSeconds) ?? false,
  };
}
