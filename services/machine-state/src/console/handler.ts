/** The public port of machine-state: its API, the console's pages, and the other services behind one sign-in. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { clientAddress, HttpProblem, type ServiceContext } from '@skolo/common';
import {
  originProblem,
  type Pages,
  type Sessions,
  sendProblem,
  servePage,
} from '@skolo/common/console';
import { forward } from './forward.ts';

interface Deps extends Pick<ServiceContext, 'rack' | 'access' | 'audit' | 'log'> {
  sessions: Sessions;
  pages: Pages;
  /** Answers the routes of the service. */
  app: RequestListener;
}

const harmless = ['GET', 'HEAD', 'OPTIONS'];

export function consoleHandler(deps: Deps): RequestListener {
  const { sessions, pages, app, log } = deps;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, url = '' } = request;
    const session = sessions.find(headers.cookie);
    if (!harmless.includes(request.method ?? '')) await checkOrigin(request, session !== undefined);
    // From here on a session is its token.
    if (session && headers.authorization === undefined) {
      headers.authorization = `Bearer ${session.token}`;
    }
    if (url.startsWith('/services/')) await forward(request, response, deps);
    else if (!servePage(pages, request, response)) app(request, response);
  }

  async function checkOrigin(request: IncomingMessage, hasSession: boolean): Promise<void> {
    const why = originProblem(request, hasSession);
    if (why === undefined) return;
    const from = clientAddress(request);
    log.warn({ why, from }, 'cross-site request rejected');
    if (hasSession) {
      const what = 'cross-site request';
      await deps.audit.append({ who: 'unknown', from, what, outcome: `refused: ${why}` });
    }
    throw new HttpProblem(403, why);
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const status = sendProblem(response, error);
      if (status >= 500) log.error({ err: error }, 'request failed');
    });
  };
}
