/** The console of several racks, for the command. It loads no express. */
export { builtPages } from '../serve/built-pages.ts';
export { createDesk } from './desk-server.ts';
export { WatchedRack } from './watched-rack.ts';
