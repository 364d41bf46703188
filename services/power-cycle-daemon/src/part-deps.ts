import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitPower } from './events.ts';
import type { Store } from './state/store.ts';

/** Dependencies that many parts of the service share. Each part picks those that it uses. */
export interface PartDeps {
  /** The current one. */
  rack: () => Rack;
  store: Store;
  clock: Clock;
  log: Logger;
  emit: EmitPower;
  /** Aborted when the service stops. */
  signal: AbortSignal;
}
