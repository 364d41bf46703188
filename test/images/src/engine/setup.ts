/** Before the tests of images: opens an engine, and builds the images in it, once. */

import { cp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import type { TestProject } from 'vitest/node';
import { makeBundles } from '../bundles-setup.ts';
import { root } from '../paths.ts';
import { openBuilder, targets } from './build.ts';
import { type EngineAccess, openEngine } from './engine.ts';

/** What tests get: an engine with all images, or why there is none, or what went wrong. */
type Prepared =
  | { is: 'ready'; access: EngineAccess; rejected: string[] }
  | { is: 'missing'; why: string }
  | { is: 'failed'; why: string };

declare module 'vitest' {
  export interface ProvidedContext {
    prepared: Prepared;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of opened.reverse()) await one.close();
  };
  const prepare = async (): Promise<Prepared> => {
    const missing = await whyNot();
    if (missing !== undefined) return { is: 'missing', why: missing };
    const engine = await openEngine();
    if (typeof engine === 'string') return { is: 'missing', why: engine };
    opened.push(engine);
    const bundles = await makeBundles();
    opened.push({ close: () => rm(bundles.dir, { recursive: true, force: true }) });
    const given = join(root, 'out/bundle');
    // Parts of earlier bundles have other names.
    await rm(given, { recursive: true, force: true });
    await cp(bundles.dir, given, { recursive: true });
    const builder = await openBuilder(engine.access, 'amd64');
    try {
      await builder.build(targets);
    } finally {
      await builder.close();
    }
    return { is: 'ready', access: engine.access, rejected: [...builder.rejected] };
  };
  try {
    provide('prepared', await prepare());
  } catch (error) {
    // Reported by the tests that need it, so that others run.
    provide('prepared', { is: 'failed', why: error instanceof Error ? error.message : `${error}` });
  }
  return close;
}

async function whyNot(): Promise<string | undefined> {
  if (process.arch !== 'x64') return 'the base image for tests is for amd64';
  if (peer('mmdebstrap') === undefined) return 'mmdebstrap is not installed';
  const url = 'http://deb.debian.org/debian/dists/bookworm/InRelease';
  const isThere = await new Promise((resolve) => {
    get(url, (response) => {
      response.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
  return isThere ? undefined : "Debian's mirror cannot be reached";
}
