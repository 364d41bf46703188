/** The console, wired. */
import { join } from 'node:path';
import type { consoleApi } from '@skolo/api';
import type { RouteHandlers, ServiceContext } from '@skolo/common';
import type { Stage } from '@skolo/common/light';
import { builtPages } from '../serve/built-pages.ts';
import { servePages } from '../serve/pages.ts';
import { openSessionStore } from '../serve/session-store.ts';
import { Sessions } from '../serve/sessions.ts';
import { browserSession } from './browser-session.ts';
import { type FindService, toOtherServices } from './forward.ts';
import { consoleHandlers } from './handlers.ts';

interface Console {
  /** Handlers of `consoleApi`, to register as routes of the app. */
  handlers: RouteHandlers<typeof consoleApi>;
  /** Sessions, before the app's routes. */
  stages: Stage[];
  /** The other services and pages. */
  instead: Stage[];
}

export async function openConsole(
  context: ServiceContext,
  findService: FindService,
): Promise<Console> {
  const { rack, version, audit, access, log } = context;
  const pages = await builtPages();
  const store = await openSessionStore(join(context.stateDir, 'console', 'sessions.json'), log);
  const sessions = new Sessions(rack.rack.name, context.clock, store);
  return {
    handlers: consoleHandlers({ rack, version, audit, access, sessions }),
    stages: [browserSession({ sessions, access, audit, log })],
    instead: [toOtherServices({ rack, access, findService }), servePages(pages)],
  };
}
