/** Derived files of an overlay. */

export type { Remark } from '../issues/issues.ts';
export { UnmountedSecretsError } from '../secrets/service-secrets.ts';
export { compareDerived, type Difference, writeDerived } from './derived-folder.ts';
export { renderDerived } from './render.ts';
