/** What happens in this service. */
import type { Machine, PowerCycle, RackView } from '@skolo/api';

export type MachineStateEvent =
  /** It was joined anew; `before` is absent for one that is new in rack.yaml, or since the start. */
  | { type: 'machine'; machine: Machine; before?: Machine | undefined; isReadingsOnly: boolean }
  | { type: 'removed'; name: string }
  | { type: 'rack'; rack: RackView }
  /** A cycle has begun, goes on, or has ended; also one that is known already. */
  | { type: 'cycle'; cycle: PowerCycle }
  /** Its agent has said something else, or is silent. */
  | { type: 'agent'; machine: string }
  /** What the other services say has changed. */
  | { type: 'services' }
  /** People, or the time, have changed its orders. */
  | { type: 'orders'; machine: string }
  /** Its agent has received its orders, or why it has not is another reason now. */
  | { type: 'delivery'; machine: string };
export type EmitMachineState = (event: MachineStateEvent) => void;
