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
  /** Of `consoleApi`, to be routes of the app. */
  handlers: RouteHandlers<typeof consoleApi>;
  /** The public port: pages, sessions and the other services around the app. */
  around(app: RequestListener): RequestListener;
}

export async function openConsole(
  context: ServiceContext,
  findService: FindService,
): Promise<Console> {
  const pages = await builtPages();
  const sessions = new Sessions(context.rack.rack.name, context.clock);
  return {
    handlers: consoleHandlers({ ...context, sessions }),
    around: (app) => consoleHandler({ ...context, sessions, pages, findService, app }),
  };
}
