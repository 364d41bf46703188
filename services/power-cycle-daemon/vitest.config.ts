import { packageTests } from '../../vitest.shared.ts';

/** Its tests wait for machines and outlets for five sixths of their time. */
export default packageTests({ maxWorkers: 6 });
