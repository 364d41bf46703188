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
  /** Its orders are others now. */
  | { type: 'orders'; machine: string }
  /** Why its agent does not have its orders has changed. */
  | { type: 'delivery'; machine: string };
export type EmitMachineState = (event: MachineStateEvent) => void;
