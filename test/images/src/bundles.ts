/** Bundles for a test, made as `npm run bundle` makes them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { root } from './paths.ts';

const run = promisify(execFile);

/** Of all bundles that tests share. The sources have another one. */
export const version = '9.8.7';

const Sizes = z.object({
  name: z.string(),
  own: z.int(),
  pubsub: z.int(),
  storage: z.int(),
  other: z.int(),
});
/** Bytes of a bundle; see scripts/bundle/sizes.mjs. */
export type Sizes = z.output<typeof Sizes>;

/**
 * Writes bundles.
 *
 * @param out folder for them
 * @param args names, all by default; and flags
 * @param repository where the sources are
 */
export async function bundle(
  out: string,
  args: readonly string[] = [],
  repository: string = root,
): Promise<Sizes[]> {
  const script = join(repository, 'scripts/bundle.mjs');
  const all = [script, '--json', '--out', out, ...args];
  const { stdout } = await run(process.execPath, all, { cwd: repository });
  return z.array(Sizes).parse(JSON.parse(stdout));
}
