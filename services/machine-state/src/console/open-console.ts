/** The console, wired. */
import type { RequestListener } from 'node:http';
import type { consoleApi } from '@skolo/api';
import type { RouteHandlers, ServiceContext } from '@skolo/common';
import { readPages, Sessions } from '@skolo/common/console';
import { consoleHandler } from './handler.ts';
import { consoleHandlers } from './handlers.ts';

interface Console {
  /** Of `consoleApi`, to be routes of the app. */
  handlers: RouteHandlers<typeof consoleApi>;
  /** The public port: pages, sessions and the other services around the app. */
  around(app: RequestListener): RequestListener;
}

/** @param folder of the built pages */
export async function openConsole(context: ServiceContext, folder: string): Promise<Console> {
  const pages = await readPages(folder);
  const sessions = new Sessions(context.rack.rack.name, context.clock);
  return {
    handlers: consoleHandlers({ ...context, sessions }),
    around: (app) => consoleHandler({ ...context, sessions, pages, app }),
  };
}
