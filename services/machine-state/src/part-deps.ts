import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitMachineState } from './events.ts';
import type { Records } from './records.ts';

/** Dependencies that many parts of the service share. Each part picks those that it uses. */
export interface PartDeps {
  /** The current one. */
  rack: () => Rack;
  clock: Clock;
  log: Logger;
  emit: EmitMachineState;
  records: Records;
}
