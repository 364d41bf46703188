/** Connects the parts of a rack's console. */
import { join } from 'node:path';
import type { ServiceContext } from '@skolo/common';
import { builtPages } from '../serve/built-pages.ts';
import { servePages } from '../serve/pages.ts';
import { openSessionStore } from '../serve/session-store.ts';
import { Sessions } from '../serve/sessions.ts';
import { browserSession } from './browser-session.ts';
import { type FindService, toOtherServices } from './forward.ts';
import { consoleHandlers } from './handlers.ts';

export async function openConsole(context: ServiceContext, findService: FindService) {
  const { rack, version, audit, access, log } = context;
  const pages = await builtPages();
  const store = await openSessionStore(join(context.stateDir, 'console', 'sessions.json'), log);
  const sessions = new Sessions(rack.rack.name, context.clock, store);
  return {
    /** Of `consoleApi`. */
    handlers: consoleHandlers({ rack, version, audit, access, sessions }),
    stages: [browserSession({ sessions, access, audit, log })],
    instead: [toOtherServices({ rack, access, findService }), servePages(pages)],
  };
}
