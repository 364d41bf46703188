import { mergeConfig } from 'vitest/config';
import { together } from '../../vitest.shared.ts';

/** Its tests wait for machines and outlets for five sixths of their time. */
export default mergeConfig(together, { test: { maxWorkers: 6 } });
