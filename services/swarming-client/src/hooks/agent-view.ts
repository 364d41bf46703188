/** All that an answer to the bot's hooks is made of: what is known now. Nothing here waits for anything. */
import type { MachineSlice } from '@skolo/rack/slice';
import type { DeviceView, Dimensions } from '../devices/device.ts';
import type { Health } from '../health/health.ts';

export interface AgentView {
  /** Also the id of the bot. */
  machine: string;
  /** Undefined: not known yet; see `whyUnknown`. */
  slice: MachineSlice | undefined;
  /** Why the slice is not known, for people. */
  whyUnknown?: string;
  devices: readonly DeviceView[];
  /** Of the machine itself; they count where no device is attached. */
  host: Dimensions;
  health: Health;
  version: string;
}
