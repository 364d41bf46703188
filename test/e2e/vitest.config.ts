import { packageTests } from '../../vitest.shared.ts';

/** The scripts of `npm test` and `npm start` belong to no package; their tests run here. */
export default packageTests({ folders: ['src', '../../scripts'] });
