import type { Machine } from '@skolo/rack';
import type { DriverDeps, PowerDriver } from './driver.ts';

/** To be written by its author; here so that the rest compiles. */
export function createUsbHub(
  machine: Machine,
  _deps: DriverDeps & { agentUrl: string | undefined },
): PowerDriver {
  throw new Error(`${machine.name}: no driver for USB hubs yet`);
}
