/** The list of racks, for commands that work from a desk. */
import { type Fleet, findClustersFile, readFleet } from '@skolo/fleet';
import { Option } from 'commander';

/** `--clusters`. */
export function clustersOption(): Option {
  const text = 'list of the racks (default: kube/clusters/config.json, here or above)';
  return new Option('--clusters <file>', text).env('SKOLO_CLUSTERS');
}

/**
 * The racks of `--clusters`.
 *
 * @throws FleetError There is no such file.
 * @throws RackError It is not valid.
 */
export async function loadFleet(clusters: string | undefined): Promise<Fleet> {
  return await readFleet(clusters || (await findClustersFile('.')));
}
