import { fileURLToPath } from 'node:url';

/** The top of the repository: what images are built from. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url));
