/** The console of one rack, for machine-state. `@skolo/console/racks` is that of several racks, for the command. */
export { openConsole } from './rack/open-console.ts';
