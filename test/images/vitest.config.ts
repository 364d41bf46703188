import { mergeConfig } from 'vitest/config';
import { together } from '../../vitest.shared.ts';

/** Tests that need a container engine share one, and the images that are built before them. */
export default mergeConfig(together, {
  test: {
    // One engine, two cores.
    maxWorkers: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'bundles',
          exclude: ['src/engine/**'],
          globalSetup: ['src/bundles-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          exclude: ['src/*.test.ts', 'src/alone/**'],
          globalSetup: ['src/engine/setup.ts'],
        },
      },
    ],
  },
});
