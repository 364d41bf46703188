/** Derived files of an overlay. */
export type { RenderWarning } from './derived-file.ts';
export { compareDerived, type Difference, writeDerived } from './derived-folder.ts';
export { renderDerived } from './render.ts';
export { RenderError } from './secrets.ts';
