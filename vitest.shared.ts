import { defineConfig } from 'vitest/config';

/** What every package's vitest.config.ts is: tests beside the source, one report for `npm test`. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    reporters: ['default', new URL('./scripts/report-tests.mjs', import.meta.url).pathname],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
