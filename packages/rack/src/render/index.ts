/** Derived files of an overlay. */

export { RenderError } from '../secrets/service-secrets.ts';
export type { RenderWarning } from './derived-file.ts';
export { compareDerived, type Difference, writeDerived } from './derived-folder.ts';
export { renderDerived } from './render.ts';
