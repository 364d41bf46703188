import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import { compileCache, findNode } from './scripts/node.mjs';

const report = fileURLToPath(new URL('./scripts/report-tests.mjs', import.meta.url));
const processorTime = fileURLToPath(new URL('./scripts/processor-time.mjs', import.meta.url));

// Tests start programs of ours with the Node that they run on themselves.
if (findNode() !== process.execPath) {
  throw new Error(
    `Tests need Node 24, and this is ${process.version}. Run npx vitest, or npm test.`,
  );
}
process.env.NODE_COMPILE_CACHE ??= compileCache;

/** What every package's vitest.config.ts is: tests beside the source, one report for `npm test`. */
const shared = defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    reporters: ['default', report],
    setupFiles: [processorTime],
    // turbo runs five packages at once, and each process loads what its tests import.
    maxWorkers: 3,
    // A fault-injection test in full takes minutes.
    testTimeout: process.env.SKOLO_LONG ? 900_000 : 120_000,
    hookTimeout: 120_000,
    // What is waited for comes later where others work, too: a limit is for what never comes.
    expect: { poll: { timeout: 60_000 } },
    // There a test that fails is tried once more; scripts/results.mjs tells of each. Fault-injection tests in full are not.
    retry: process.env.CI && !process.env.SKOLO_LONG ? 1 : 0,
  },
});

export default shared;

/**
 * For packages whose tests leave nothing behind in their process: their files share processes, and load once what they
 * import, which is half of the work where they are many and small.
 */
export const together = mergeConfig(shared, {
  test: {
    isolate: false,
    // Node runs the sources as they are. Vite makes only the tests ready.
    server: { deps: { external: [/\/(packages|services|test)\/[^/]+\/src\/(?!.*\.test\.ts$)/] } },
  },
});
