import { packageTests } from '../../vitest.shared.ts';

/** One file at a time: the equipment of each demo has the same addresses and ports. */
export default packageTests({ fileParallelism: false });
