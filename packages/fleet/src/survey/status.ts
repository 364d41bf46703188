/** Reads the health of all racks, each from its own Prometheus. */
import { closing, errorText } from '@skolo/base';
import { FleetError } from '../errors.ts';
import type { FleetRack } from '../racks/clusters.ts';
import {
  askEachRack,
  type EachRackOptions,
  type OnNextWay,
  type RackAnswer,
} from '../racks/each-rack.ts';
import { isRejected, type Kubectl } from '../way/kubectl.ts';
import { healthPath, type RackHealth, readHealth } from './rack-health.ts';

/** A rack that can be queried until `close`. */
export interface AskableRack {
  kubectl: Kubectl;
  close(): Promise<void>;
}

export type RackStatus = RackAnswer<RackHealth>;

/**
 * In the order of the racks.
 *
 * @param open throws an error that says what to do
 * @throws The signal's reason.
 */
export function statusOfRacks(
  racks: readonly FleetRack[],
  open: (rack: FleetRack, signal: AbortSignal, onNextWay: OnNextWay) => Promise<AskableRack>,
  options: EachRackOptions,
): Promise<RackStatus[]> {
  return askEachRack(
    racks,
    async (rack, signal, onNextWay) => {
      await using opened = closing(await open(rack, signal, onNextWay));
      try {
        return await askHealth(opened.kubectl, rack.type === 'k3s' ? rack.jumphost : '', signal);
      } catch (error) {
        if (signal.aborted || isRejected(error, 'Unreachable')) throw error;
        const how = `run skolo kubectl ${rack.name} get pods -n skolo to check its pods`;
        throw new FleetError(
          `${rack.name}: Prometheus cannot be queried: ${errorText(error)}; ${how}`,
          { code: 'NO_PROMETHEUS', cause: error },
        );
      }
    },
    options,
  );
}

/**
 * How a rack is, as its Prometheus says.
 *
 * @param jumphost its name in rack.yaml; empty: nothing is said of its disk
 * @param windowSeconds tasks that ended since then; default an hour
 * @throws KubectlError Prometheus cannot be asked.
 */
export async function askHealth(
  kubectl: Kubectl,
  jumphost: string,
  signal: AbortSignal,
  windowSeconds?: number,
): Promise<RackHealth> {
  return readHealth(await askPrometheus(kubectl, jumphost, signal, windowSeconds));
}

/** The text that `readHealth` reads. @throws KubectlError Prometheus cannot be asked. */
export async function askPrometheus(
  kubectl: Kubectl,
  jumphost: string,
  signal: AbortSignal,
  windowSeconds?: number,
): Promise<string> {
  const prometheus = '/api/v1/namespaces/skolo/services/prometheus:9090/proxy';
  const args = ['get', '--raw', `${prometheus}${healthPath(jumphost, windowSeconds)}`];
  return await kubectl(args, { signal, deadlineMs: 15_000 });
}
