/** What happens in this service. */
import type { Machine, PowerCycle, RackView } from '@skolo/api';

export type MachineStateEvent =
  /** It was joined anew; `before` is absent for one that is new in rack.yaml, or since the start. */
  | { type: 'machine'; machine: Machine; before?: Machine | undefined; isReadingsOnly: boolean }
  | { type: 'removed'; name: string }
  | { type: 'rack'; rack: RackView }
  | { type: 'cycle'; cycle: PowerCycle };
export type EmitMachineState = (event: MachineStateEvent) => void;
