/** A rack's secrets on this workstation: names from its rack.yaml, values from its store. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Secret } from '@skolo/base/secrets';
import type { K3sRack } from '@skolo/fleet';
import type { SecretStore } from '@skolo/fleet/secret-store';
import type { Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { rackNamed, readRackOf } from '../../reach/racks.ts';
import { readSecretFile } from '../../workstation/given-file.ts';
import { userFolder } from '../../workstation/workstation-files.ts';

export interface OpenSecrets {
  fleetRack: K3sRack;
  rack: Rack;
  secrets: RackSecret[];
  store: SecretStore;
}

/**
 * @throws FleetError @throws RackError @throws StoreError
 */
export async function openSecrets(command: SkoloCommand, name: string): Promise<OpenSecrets> {
  const { io } = command;
  const fleetRack = await rackNamed(command, name);
  if (fleetRack.type === 'gke') {
    throw new CliError(
      `${name}: this is a GKE cluster, which has neither a rack.yaml nor skolo secrets`,
    );
  }
  const { rackSecrets } = await import('@skolo/rack/secrets');
  const rack = await readRackOf(fleetRack);
  const secrets = rackSecrets(rack);
  const unknown = Object.keys(rack.secrets.shared).find(
    (each) => !secrets.some((secret) => secret.name === each),
  );
  if (unknown !== undefined) throw await unknownSecret(rack, secrets, unknown);
  const store = await openStoreOf(io, rack);
  return { fleetRack, rack, secrets, store };
}

async function openStoreOf(io: Io, rack: Rack): Promise<SecretStore> {
  const { openStore } = await import('@skolo/fleet/secret-store');
  return await openStore(rack.secrets, {
    dir: rack.dir,
    home: io.env.HOME || homedir(),
    env: io.env,
    now: io.now,
    identities: () => workstationIdentities(io),
  });
}

/**
 * The key that authenticates a rack's off-site copies. Undefined: there is no store, or it does not contain the key.
 *
 * @throws StoreError @throws CliError This workstation cannot read the store.
 */
export async function readBackupKey(
  io: Io,
  rack: Rack,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const { secretPlace } = await import('@skolo/rack/secrets');
  const { storeFolder } = await import('@skolo/fleet/secret-store');
  const { sops, folder, command } = rack.secrets;
  const root = storeFolder(rack.secrets, { dir: rack.dir, home: io.env.HOME || homedir() });
  if (command === undefined && !existsSync(root)) {
    if (sops === undefined && folder === undefined) return undefined;
    throw new CliError(`${root}: the secret store of ${rack.name} does not exist`);
  }
  return await (await openStoreOf(io, rack)).read(secretPlace(rack, 'backup-key'), signal);
}

/** The secret with this name. @throws CliError */
export async function findSecret(
  { rack, secrets }: Pick<OpenSecrets, 'rack' | 'secrets'>,
  name: string,
): Promise<RackSecret> {
  const found = secrets.find((secret) => secret.name === name);
  if (found === undefined) throw await unknownSecret(rack, secrets, name);
  return found;
}

async function unknownSecret(
  rack: Rack,
  secrets: readonly RackSecret[],
  name: string,
): Promise<CliError> {
  const { didYouMean } = await import('@skolo/rack/light');
  const names = secrets.map((secret) => secret.name);
  const all = `secrets in its rack.yaml: ${names.join(', ') || 'none'}`;
  return usageError(`${name}: no such secret in ${rack.name}${didYouMean(name, names, all)}`);
}

/** Values in the store, by name. @throws StoreError */
export async function readValues(
  { secrets, store }: Pick<OpenSecrets, 'secrets' | 'store'>,
  signal: AbortSignal,
): Promise<Map<string, Secret>> {
  const values = new Map<string, Secret>();
  for (const { name, place } of secrets) {
    const value = await store.read(place, signal);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** The file of age identities: sops's default, unless another one is given. */
function identityFile(io: Io): { file: string; isUsual: boolean; variable: string } {
  const variable = io.env.SKOLO_AGE_IDENTITY_FILE ? 'SKOLO_AGE_IDENTITY_FILE' : 'SOPS_AGE_KEY_FILE';
  const named = io.env[variable];
  const folder = userFolder(io.env, 'XDG_CONFIG_HOME');
  return { file: named || join(folder, 'sops/age/keys.txt'), isUsual: !named, variable };
}

/** Whether this workstation can decrypt values. */
export function hasIdentities(io: Io): boolean {
  return existsSync(identityFile(io).file);
}

async function workstationIdentities(io: Io): Promise<readonly Secret[]> {
  const { file, isUsual, variable } = identityFile(io);
  const hint = `set ${variable} to a file that contains your age identity from age-keygen`;
  if (isUsual && !existsSync(file)) {
    throw new CliError(`${file}: no such file; ${hint}`, exitCodes.badConfiguration);
  }
  const { parseIdentities } = await import('@skolo/backup');
  return parseIdentities(await readSecretFile(file, hint), file);
}
