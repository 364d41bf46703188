import { channel } from 'node:diagnostics_channel';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, mergeConfig } from 'vitest/config';
import { compileCache, findNode, root } from './scripts/node.mjs';
import { addToPath, basePath } from './scripts/programs/base.mjs';
import { leftOut } from './scripts/sampled-tests.mjs';

const report = fileURLToPath(new URL('./scripts/report-tests.mjs', import.meta.url));
const processorTime = fileURLToPath(new URL('./scripts/setup/processor-time.mjs', import.meta.url));
const askedPrograms = fileURLToPath(new URL('./scripts/programs/asked.mjs', import.meta.url));
const reasons = fileURLToPath(new URL('./scripts/setup/reasons.mjs', import.meta.url));
const patience = fileURLToPath(new URL('./scripts/setup/patience.mjs', import.meta.url));

// Tests start our programs with the Node that they run on themselves.
if (findNode() !== process.execPath) {
  throw new Error(
    `Tests need Node 24, and this is ${process.version}. Run npx vitest, or npm test.`,
  );
}
process.env.NODE_COMPILE_CACHE ??= compileCache;

// Tests only find what each computer has, and what they ask for.
const path = process.env.SKOLO_SYSTEM_PATH === undefined ? basePath() : undefined;
if (path !== undefined) {
  process.env.SKOLO_SYSTEM_PATH = process.env.PATH ?? '';
  process.env.PATH = path;
  // In workers, scripts/programs/asked.mjs does this. Here, global setups ask.
  channel('skolo.peer').subscribe((asked) => {
    const { peer } = asked as { peer?: { path: string; version: string } };
    if (peer) addToPath(peer);
  });
}

/** Vitest runs in the package's folder. */
function inPackage(file: string): string {
  return relative(process.cwd(), join(root, file));
}

/** The base of every package's vitest.config.ts: tests next to the source, one report for `npm test`. */
const shared = defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOut(process.env.SKOLO_SAMPLE).map(inPackage)],
    reporters: ['default', report],
    setupFiles: [processorTime, patience, reasons, askedPrograms],
    // turbo runs six packages in parallel, and each process loads what its tests import.
    maxWorkers: 3,
    // A full fault-injection test takes minutes.
    testTimeout: process.env.SKOLO_LONG ? 900_000 : 600_000,
    hookTimeout: 600_000,
    // Other work on the computer delays tests: timeouts are only for events that never happen. A shorter one needs a reason.
    expect: { poll: { timeout: 120_000 } },
    // In CI, a failed test is retried once; scripts/results.mjs reports each. Full fault-injection tests are not retried.
    retry: process.env.CI && !process.env.SKOLO_LONG ? 1 : 0,
  },
});

export default shared;

/**
 * For packages whose tests leave nothing behind in their process: their files share processes and load common imports once, which is half
 * of the work for many small files.
 */
export const together = mergeConfig(shared, {
  test: {
    isolate: false,
    // Node runs the sources directly. Vite only transforms the tests.
    server: { deps: { external: [/\/(packages|services|test)\/[^/]+\/src\/(?!.*\.test\.ts$)/] } },
  },
});

/** For packages whose tests take a minute at most in one process: each further one would load the same imports, for a second of CPU time. */
export const inOneProcess = mergeConfig(together, { test: { maxWorkers: 1 } });
