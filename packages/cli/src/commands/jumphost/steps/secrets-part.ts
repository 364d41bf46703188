/** A rack's secrets as steps of its jumphost: from the store, as `skolo secrets apply` deploys them. */
import { lazily } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { applySecrets, compareSecrets, placeTitle, type SecretsDeps } from '@skolo/fleet/secrets';
import { publicRackKey } from '@skolo/rack/jumphost';
import type { Host } from '@skolo/setup/engine';
import type { Part } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { type OpenSecrets, openSecrets, readValues } from '../../secrets/open-secrets.ts';
import { secretsDeps } from '../../secrets/rack-places.ts';

/** Files on the jumphost: the k3s token must exist before k3s first starts. */
export function secretFiles(
  command: SkoloCommand,
  rack: string,
  host: Host,
  signal: AbortSignal,
): Part {
  return partOf(async () => {
    const open = await openSecrets(command, rack);
    const values = await readValues(open, signal);
    return { rack, secrets: open.secrets, values, host, signal };
  });
}

/** Secrets of the cluster. */
export function clusterSecrets(command: SkoloCommand, rack: string, signal: AbortSignal): Part {
  return partOf(async () => {
    const open = await openSecrets(command, rack);
    return await secretsDeps(command, open, await readValues(open, signal), signal);
  });
}

/** The private half of the rack key. @throws CliError The store has none. */
export async function readRackKey(
  { rack, secrets, store }: Pick<OpenSecrets, 'rack' | 'secrets' | 'store'>,
  signal: AbortSignal,
): Promise<Secret> {
  const secret = secrets.find(({ name }) => name === 'rack-key');
  const value = secret && (await store.read(secret.place, signal));
  if (value !== undefined) return value;
  throw new CliError(
    `${rack.name}: ${store.title} does not contain rack-key, which signs the jumphost's statement; to create it, run skolo secrets generate ${rack.name} rack-key`,
  );
}

/** The public half, PEM. @throws CliError */
export async function publicKeyOf(
  command: SkoloCommand,
  rack: string,
  signal: AbortSignal,
): Promise<string> {
  const key = await readRackKey(await openSecrets(command, rack), signal);
  return publicRackKey(key.reveal());
}

function partOf(open: () => Promise<SecretsDeps>): Part {
  const deps = lazily(open);
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
