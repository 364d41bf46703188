/** A rack's cluster and jumphost, for its secrets. */
import { errorText } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import type { Jumphost } from '@skolo/fleet';
import type { Place, SecretsDeps } from '@skolo/fleet/secrets';
import { openHost } from '@skolo/setup/engine';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { hostOptions } from '../../reach/machine-way.ts';
import { openNamed } from '../../reach/racks.ts';
import type { OpenSecrets } from './open-secrets.ts';

/**
 * Opens the rack as admin until the command ends: only an admin may read and write Secrets.
 *
 * @throws FleetError @throws ComputerError
 */
export async function secretsDeps(
  command: SkoloCommand,
  { fleetRack, secrets }: OpenSecrets,
  values: ReadonlyMap<string, Secret>,
  signal: AbortSignal,
): Promise<SecretsDeps & { jumphost: Jumphost }> {
  const { name } = fleetRack;
  const jumphost = await openNamed(command, name, 'admin');
  const cluster = { name, kubectl: jumphost.kubectl };
  const host = await openHost(hostOptions(fleetRack, jumphost, signal));
  return { rack: name, secrets, values, cluster, host, jumphost, signal };
}

/** Undefined, after an error message, if the rack cannot be reached. */
export async function compareWithRack(
  command: SkoloCommand,
  open: OpenSecrets,
  values: ReadonlyMap<string, Secret>,
  signal: AbortSignal,
): Promise<Place[] | undefined> {
  try {
    const { compareSecrets } = await import('@skolo/fleet/secrets');
    return await compareSecrets(await secretsDeps(command, open, values, signal));
  } catch (error) {
    signal.throwIfAborted();
    complain(command.io, errorText(error));
    return undefined;
  }
}
