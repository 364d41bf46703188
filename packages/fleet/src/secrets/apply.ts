/** Delivers a rack's secrets to its services. */

import type { Secret } from '@skolo/base/secrets';
import type { RackSecret } from '@skolo/rack/secrets';
import { FleetError } from '../errors.ts';
import { type Rack, stoppable } from '../push/rack.ts';
import { applyToCluster, compareCluster } from './cluster.ts';
import { applyToFiles, compareFiles, type JumphostShell } from './jumphost-files.ts';
import { type Place, placeTitle } from './places.ts';

export interface SecretsDeps {
  /** Name of the rack, for messages. */
  rack: string;
  /** `rackSecrets` of its rack.yaml. */
  secrets: readonly RackSecret[];
  /** Values from the store, by name. Secrets without a value stay unchanged. */
  values: ReadonlyMap<string, Secret>;
  /** Undefined: Secrets in the cluster stay unchanged, for example before k3s runs. */
  cluster?: Rack;
  /** The jumphost, as root. Undefined: its files stay unchanged. */
  host?: JumphostShell;
  signal: AbortSignal;
}

/**
 * Compares each place with the store. Changes nothing.
 *
 * @throws KubectlError @throws FleetError @throws Error Of `host`.
 */
export async function compareSecrets(deps: SecretsDeps): Promise<Place[]> {
  const { cluster, host, secrets, values, signal } = deps;
  const [keys, files] = await Promise.all([
    cluster ? compareCluster(stoppable(cluster, signal), secrets, values) : [],
    host ? compareFiles({ secrets, values, host }) : [],
  ]);
  return [...keys, ...files];
}

/**
 * Copies values from the store to Secrets in the cluster, by server-side apply, and to files of units on the jumphost. Writes
 * only differences, then reads everything back and compares digests. Secrets that the store does not contain stay unchanged.
 * Running it again changes nothing. `skolo secrets apply` and `skolo jumphost prepare` call it.
 *
 * @returns The places that were written.
 * @throws KubectlError @throws Error Of `host`. @throws FleetError A place does not contain the value after it was written.
 */
export async function applySecrets(deps: SecretsDeps): Promise<Place[]> {
  const { rack, cluster, host, secrets, values, signal } = deps;
  const written: Place[] = [];
  // Files first: if the network fails in between, skolo-fallback or the next run copies the rest.
  if (host) {
    written.push(...(await applyToFiles({ rack, secrets, values, host })));
  }
  if (cluster) {
    written.push(...(await applyToCluster(stoppable(cluster, signal), secrets, values)));
  }
  const wrong = (await compareSecrets(deps)).find(
    ({ state }) => state === 'different' || state === 'missing',
  );
  if (wrong === undefined) return written;
  throw new FleetError(
    `${rack}: ${placeTitle(wrong)} no longer contains the value that was just written; check whether another program overwrites it, and run skolo secrets apply again`,
  );
}
