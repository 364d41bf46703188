/** A rack's web console, for machine-state. */
export { openConsole } from './rack/open-console.ts';
