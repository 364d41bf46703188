/** What the overlay of a rack has from its rack.yaml, for kustomize. */
export type { RenderWarning } from './derived-file.ts';
export { compareDerived, type Difference, writeDerived } from './derived-folder.ts';
export { type Derived, renderDerived } from './render.ts';
export { RenderError } from './secrets.ts';
