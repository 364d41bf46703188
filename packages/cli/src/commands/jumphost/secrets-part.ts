/** Secrets of a rack as steps of its jumphost: from the store, as `skolo secrets apply` brings them. */

import type { Jumphost } from '@skolo/fleet';
import { applySecrets, compareSecrets, placeTitle, type SecretsDeps } from '@skolo/fleet/secrets';
import type { Part } from '@skolo/jumphost';
import type { SkoloCommand } from '../../command.ts';
import { openSecrets, readValues } from '../secrets/open-secrets.ts';
import { secretsDeps } from '../secrets/rack-places.ts';

/** Files on the jumphost: the token of k3s has to be there before k3s first starts. */
export function secretFiles(
  command: SkoloCommand,
  rack: string,
  jumphost: Jumphost,
  signal: AbortSignal,
): Part {
  return partOf(async () => {
    const open = await openSecrets(command, rack);
    const values = await readValues(open, signal);
    return { rack, secrets: open.secrets, values, jumphost, signal };
  });
}

/** Secrets of the cluster. */
export function clusterSecrets(command: SkoloCommand, rack: string, signal: AbortSignal): Part {
  return partOf(async () => {
    const open = await openSecrets(command, rack);
    return await secretsDeps(command, open, await readValues(open, signal), signal);
  });
}

function partOf(open: () => Promise<SecretsDeps>): Part {
  let opened: Promise<SecretsDeps> | undefined;
  const deps = () => {
    opened ??= open();
    return opened;
  };
  return {
    async differs() {
      const places = await compareSecrets(await deps());
      return places.flatMap((place) =>
        place.state === 'different' || place.state === 'missing'
          ? [`${place.secret.name}: ${place.state} in ${placeTitle(place)}`]
          : [],
      );
    },
    async apply() {
      await applySecrets(await deps());
    },
  };
}
