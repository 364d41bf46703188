/** What parts of the service need from outside. Each takes of it what it uses. */
import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitBackup } from './events.ts';

export interface Base {
  /** As rack.yaml is now. */
  rack: () => Rack;
  stateDir: string;
  clock: Clock;
  log: Logger;
  emit: EmitBackup;
  /** Aborted when the service stops. */
  signal: AbortSignal;
}
