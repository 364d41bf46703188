/** What serves the console's pages to a browser: machine-state for its rack, and the command for several racks. */
export { originProblem } from './origin.ts';
export { type Pages, pagesOf, readPages, servePage } from './pages.ts';
export { passOn } from './pass-on.ts';
export { sendProblem } from './send-problem.ts';
export { type Session, Sessions } from './sessions.ts';
