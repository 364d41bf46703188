/** Before all tests: every bundle, once, in a folder from which nothing of the repository is in reach. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundle, type Sizes, version } from './bundles.ts';

interface Bundles {
  dir: string;
  sizes: Sizes[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    bundles: Bundles;
  }
}

// Vitest loads this file once for each of its projects, in one process.
const shared = globalThis as { skoloBundles?: Promise<Bundles> };

/** Makes them with the first call. */
export async function makeBundles(): Promise<Bundles> {
  shared.skoloBundles ??= mkdtemp(join(tmpdir(), 'skolo-bundles-')).then(async (dir) => {
    return { dir, sizes: await bundle(dir, ['--version', version]) };
  });
  return await shared.skoloBundles;
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const made = await makeBundles();
  provide('bundles', made);
  return () => rm(made.dir, { recursive: true, force: true });
}
