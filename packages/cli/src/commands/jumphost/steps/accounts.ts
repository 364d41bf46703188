/** Namespaces and people's accounts from kube/base, included in the bundle as a module. Requires neither kubectl nor a clone. */
import { readFile } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import { z } from 'zod';

/** `scripts/bundle/bundles.mjs` writes it. */
const bundled = new URL('./accounts-text.js', import.meta.url).href;
const Bundled = z.object({ text: z.string() });

/** From kube/base, whose kustomizations only list these files. */
export const accountFiles = [
  'namespaces/namespaces.yaml',
  'access/namespace.yaml',
  'access/view.yaml',
  'access/operate.yaml',
  'access/admin.yaml',
];

/** For `kubectl apply`. */
export async function accountManifests(): Promise<string> {
  const module = await import(bundled).catch((error: unknown) => {
    if (errorCode(error) === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
  if (module !== undefined) return Bundled.parse(module).text;
  const base = new URL('../../../../../../kube/base/', import.meta.url);
  const texts = await Promise.all(
    accountFiles.map((file) => readFile(new URL(file, base), 'utf8')),
  );
  return texts.join('\n---\n');
}
