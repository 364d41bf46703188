import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitBackup } from './events.ts';
import type { State } from './state.ts';

/** What many parts of the service depend on. Each picks what it uses. */
export interface PartDeps {
  /** The current one. */
  rack: () => Rack;
  clock: Clock;
  log: Logger;
  emit: EmitBackup;
  state: State;
}
