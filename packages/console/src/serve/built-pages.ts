/**
 * Finds the built pages of the console. In a bundle, they are a module next to this one; in a checkout, they are in `dist` after `npm
 * run build`.
 */
import { fileURLToPath } from 'node:url';
import { errorCode } from '@skolo/base';
import { z } from 'zod';
import { type Pages, pagesOf, readPages } from './pages.ts';

/** Written by `scripts/bundle/bundles.mjs`: texts by path. */
const bundled = new URL('./console-pages-texts.js', import.meta.url).href;
const Bundled = z.object({ texts: z.record(z.string(), z.string()) });

const built = fileURLToPath(new URL('../../dist', import.meta.url));

export async function builtPages(): Promise<Pages> {
  const module = await import(bundled).catch((error: unknown) => {
    if (errorCode(error) === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
  if (module !== undefined) return await pagesOf(Bundled.parse(module).texts);
  return await readPages(built);
}
