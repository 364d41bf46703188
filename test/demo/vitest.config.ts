import { mergeConfig } from 'vitest/config';
import { together } from '../../vitest.shared.ts';

/** One file at a time: the equipment of each demo has the same addresses and ports. */
export default mergeConfig(together, { test: { fileParallelism: false } });
