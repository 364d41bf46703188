/** Files of the repository that come with the command, for computers without a clone. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Files and directories, by their path in the repository. `scripts/bundle/bundles.mjs` copies them into the package. */
export const shipped = [
  'kube/base/namespaces/namespaces.yaml',
  'kube/base/access/namespace.yaml',
  'kube/base/access/view.yaml',
  'kube/base/access/operate.yaml',
  'kube/base/access/admin.yaml',
  'kube/testbed',
] as const;

/** Where one of these files is: in the package or, if the command runs from its sources, in the clone. */
export function shippedPath(path: string): string {
  const packaged = new URL(`../${path}`, import.meta.url);
  const place = existsSync(packaged) ? packaged : new URL(`../../../${path}`, import.meta.url);
  return fileURLToPath(place);
}
