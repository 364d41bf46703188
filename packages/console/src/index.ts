/** One rack's console, for machine-state. `@skolo/console/racks` is the one for several racks, for the command. */
export { openConsole } from './rack/open-console.ts';
