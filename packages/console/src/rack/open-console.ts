/** The console, wired. */
import type { RequestListener } from 'node:http';
import type { consoleApi } from '@skolo/api';
import type { RouteHandlers, ServiceContext } from '@skolo/common';
import { builtPages } from '../serve/built-pages.ts';
import { Sessions } from '../serve/sessions.ts';
import type { FindService } from './forward.ts';
import { consoleHandler } from './handler.ts';
import { consoleHandlers } from './handlers.ts';

interface Console {
  /** Handlers of `consoleApi`, to register as routes of the app. */
  handlers: RouteHandlers<typeof consoleApi>;
  /** The public port: adds pages, sessions and the other services to the app. */
  around(app: RequestListener): RequestListener;
}

export async function openConsole(
  context: ServiceContext,
  findService: FindService,
): Promise<Console> {
  const { rack, version, audit, access, log } = context;
  const pages = await builtPages();
  const sessions = new Sessions(rack.rack.name, context.clock);
  return {
    handlers: consoleHandlers({ rack, version, audit, access, sessions }),
    around: (app) =>
      consoleHandler({ rack, access, audit, log, sessions, pages, findService, app }),
  };
}
