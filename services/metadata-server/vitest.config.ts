import { packageTests } from '../../vitest.shared.ts';

/** A second process would load the same imports, for a second of processor time. */
export default packageTests({ maxWorkers: 1 });
