/** The events of machine-state. Its parts emit them; `react` in service.ts lists what follows from each. */
import type { Machine, PowerCycle, RackView } from '@skolo/api';

export type MachineStateEvent =
  /** It was joined again; `before` is absent if it is new in rack.yaml, or since the start. */
  | { type: 'machine'; machine: Machine; before?: Machine | undefined; isReadingsOnly: boolean }
  | { type: 'removed'; name: string }
  | { type: 'rack'; rack: RackView }
  /** A cycle has begun, continues, or has ended; possibly one that is known already. */
  | { type: 'cycle'; cycle: PowerCycle }
  /** Its agent's answer has changed, or it is silent. */
  | { type: 'agent'; machine: string }
  /** The other services' answers have changed. */
  | { type: 'services' }
  /** People, or the time, have changed its orders. */
  | { type: 'orders'; machine: string }
  /** Its agent has received its orders, or the reason why it has not is a different one now. */
  | { type: 'delivery'; machine: string };
export type EmitMachineState = (event: MachineStateEvent) => void;
