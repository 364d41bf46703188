/** Opens the secret store that rack.yaml specifies. */
import { join, resolve } from 'node:path';
import { commandStore } from './command-store.ts';
import { folderStore } from './folder-store.ts';
import { type SopsStoreDeps, sopsStore } from './sops-store.ts';
import type { SecretStore } from './store.ts';

/** As in `secrets` of rack.yaml: at most one of them. */
export interface StorePlace {
  sops?: string;
  folder?: string;
  command?: string[];
}

/** Next to the directory of all racks: kube/sops for kube/racks/NAME/rack.yaml. */
const usualFolder = '../../sops';

interface OpenStoreDeps extends Omit<SopsStoreDeps, 'root'> {
  /** Directory of rack.yaml. */
  dir: string;
  home: string;
  /** Of programs. */
  env: NodeJS.ProcessEnv;
}

/**
 * @example
 * const store = await openStore(rack.secrets, { dir: rack.dir, home: homedir(), env, identities, now: Date.now });
 * const value = await store.read('rack4/switch', signal);
 *
 * @throws StoreError
 */
export async function openStore(place: StorePlace, deps: OpenStoreDeps): Promise<SecretStore> {
  const { env, identities, now } = deps;
  if (place.command !== undefined) return commandStore(place.command, env);
  const root = storeFolder(place, deps);
  if (place.folder !== undefined) return await folderStore(root);
  return sopsStore({ root, identities, now });
}

/** Absolute path of the directory of a store that is one. */
export function storeFolder(
  { folder, sops = usualFolder }: StorePlace,
  { dir, home }: Pick<OpenStoreDeps, 'dir' | 'home'>,
): string {
  if (folder !== undefined) return resolve(folder.replace(/^~(?=\/|$)/, () => join(home)));
  return resolve(dir, sops);
}
