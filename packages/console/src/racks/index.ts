/** The console of several racks, for the command. */
export { builtPages } from '../serve/built-pages.ts';
export { createRacksConsole } from './racks-server.ts';
export { WatchedRack } from './watched-rack.ts';
