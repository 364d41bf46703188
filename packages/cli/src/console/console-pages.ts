/** The console's pages. In a bundle they are a module beside this one; a checkout builds them where they are stale. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { errorCode } from '@skolo/base';
import { type Pages, pagesOf, readPages } from '@skolo/common/console';
import { z } from 'zod';

/** `scripts/bundle/bundles.mjs` writes it: texts by their paths. */
const bundled = new URL('./console-pages-texts.js', import.meta.url).href;
const Bundled = z.object({ texts: z.record(z.string(), z.string()) });

const ofMachineState = new URL('../../../../services/machine-state/', import.meta.url);

export async function consolePages(): Promise<Pages> {
  const module = await import(bundled).catch((error: unknown) => {
    if (errorCode(error) === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
  if (module !== undefined) {
    const { texts } = Bundled.parse(module);
    return await pagesOf(
      Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)] as const),
    );
  }
  const build = fileURLToPath(new URL('console/build.ts', ofMachineState));
  await promisify(execFile)(process.execPath, [build]);
  return await readPages(fileURLToPath(new URL('pages', ofMachineState)));
}
