import { packageTests } from '../../vitest.shared.ts';

const bundles = ['src/bundles-setup.ts'];
const engine = 'src/engine/**/*.slow.test.ts';

/** Tests that need a container engine share one, and the images that are built before them: one engine, two cores. */
export default packageTests({
  maxWorkers: 1,
  projects: [
    {
      extends: true,
      test: {
        name: 'first',
        include: ['src/**/*.test.ts'],
        exclude: ['**/*.slow.test.ts'],
        globalSetup: bundles,
      },
    },
    {
      extends: true,
      test: {
        name: 'slow',
        include: ['src/**/*.slow.test.ts'],
        exclude: [engine],
        globalSetup: bundles,
      },
    },
    {
      extends: true,
      test: { name: 'slow-engine', include: [engine], globalSetup: ['src/engine/setup.ts'] },
    },
  ],
});
