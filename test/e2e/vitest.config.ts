import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** The scripts of `npm test` and `npm start` belong to no package; their tests run here. */
export default mergeConfig(shared, { test: { include: ['../../scripts/**/*.test.mjs'] } });
