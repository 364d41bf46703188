import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitPower } from './events.ts';
import type { Store } from './state/store.ts';

/** What many parts of the service depend on. Each picks what it uses. */
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
