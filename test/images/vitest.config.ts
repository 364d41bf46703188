import { packageTests } from '../../vitest.shared.ts';

const engine = 'src/engine/**/*.slow.test.ts';

/**
 * The bundles are made once, before the second tier. Tests that need a container engine share one, and the images that are built before them:
 * one engine, two cores.
 */
export default packageTests({
  maxWorkers: 1,
  projects: [
    {
      extends: true,
      test: {
        name: 'first',
        include: ['src/**/*.test.ts'],
        exclude: ['**/*.slow.test.ts'],
      },
    },
    {
      extends: true,
      test: {
        name: 'slow',
        include: ['src/**/*.slow.test.ts'],
        exclude: [engine],
        globalSetup: ['src/bundles-setup.ts'],
      },
    },
    {
      extends: true,
      test: { name: 'slow-engine', include: [engine], globalSetup: ['src/engine/setup.ts'] },
    },
  ],
});
