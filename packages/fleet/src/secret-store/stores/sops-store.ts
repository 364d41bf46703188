/** A secret store of files encrypted with age, in sops format, for git: `ROOT/RACK/NAME.sops`. */
import { lazily } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { fileAt, readText, writeText } from './file-tree.ts';
import { openSops, sealSops, sopsHeader } from './sops-file.ts';
import { recipientsFor } from './sops-rules.ts';
import type { SecretStore } from './store.ts';

export const sopsSuffix = '.sops';

export interface SopsStoreDeps {
  /** Absolute directory. */
  root: string;
  /** This workstation's age identities, loaded when the first value is read. */
  identities(): Promise<readonly Secret[]>;
  /** Milliseconds since 1970. */
  now(): number;
}

export function sopsStore({ root, identities, now }: SopsStoreDeps): SecretStore {
  const known = lazily(identities);
  const file = (place: string) => fileAt(root, place, sopsSuffix);
  return {
    title: root,
    async find(place) {
      const text = await readText(file(place));
      return text === undefined ? undefined : sopsHeader(text, file(place));
    },
    async read(place, signal) {
      signal.throwIfAborted();
      const text = await readText(file(place));
      if (text === undefined) return undefined;
      return await openSops(text, await known(), file(place));
    },
    async write(place, value) {
      const path = file(place);
      await writeText(path, await sealSops(value, await recipientsFor(path), now()), true);
    },
    file,
  };
}
