/** Whether anything at all answers where a device should be. In doubt it does: silence is what cuts its power. */
import type { InfrastructureDevice } from '@skolo/rack';
import { infrastructureProbe } from '../machines/infrastructure-probe.ts';
import { lookIcmp } from '../machines/probe.ts';

/** @throws The signal's reason */
export type Reach = (
  device: InfrastructureDevice,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<boolean>;

export const reach: Reach = async (device, timeoutMs, signal) => {
  const { address } = device;
  if (address === undefined) return true;
  const look = await infrastructureProbe(device)?.(timeoutMs, signal);
  signal.throwIfAborted();
  // Its ssh server may be gone; the device is not.
  if (look?.up || look?.isRefused) return true;
  const ping = await lookIcmp(address, timeoutMs, signal);
  signal.throwIfAborted();
  return ping.up || (look === undefined && ping.isUnknown === true);
};
