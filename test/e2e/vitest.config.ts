import { mergeConfig } from 'vitest/config';
import { together } from '../../vitest.shared.ts';

/** The scripts of `npm test` and `npm start` belong to no package; their tests run here. */
export default mergeConfig(together, { test: { include: ['../../scripts/**/*.test.mjs'] } });
