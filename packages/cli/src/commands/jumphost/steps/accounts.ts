/** Reads namespaces and people's accounts from kube/base. Requires neither kubectl nor a clone. */
import { readFile } from 'node:fs/promises';
import { shipped, shippedPath } from '../../../shipped.ts';

/** For `kubectl apply`. kube/base's kustomizations only list these files. */
export async function accountManifests(): Promise<string> {
  const files = shipped.filter((path) => path.startsWith('kube/base/'));
  const texts = await Promise.all(files.map((file) => readFile(shippedPath(file), 'utf8')));
  return texts.join('\n---\n');
}
