/** machine-state's public port: its API, the console's pages, and the other services with a common sign-in. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { clientAddress, HttpProblem, placeOf, type ServiceContext } from '@skolo/common';
import { originProblem } from '../serve/origin.ts';
import { type Pages, servePage } from '../serve/pages.ts';
import { sendProblem } from '../serve/send-problem.ts';
import type { Session, Sessions } from '../serve/sessions.ts';
import { type FindService, forward } from './forward.ts';

interface Deps extends Pick<ServiceContext, 'rack' | 'access' | 'audit' | 'log'> {
  sessions: Sessions;
  pages: Pages;
  findService: FindService;
  /** Handles the service's own routes. */
  app: RequestListener;
}

export function consoleHandler(deps: Deps): RequestListener {
  const { sessions, pages, app, log, access, audit } = deps;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, url = '' } = request;
    const session = sessions.find(headers.cookie);
    if (!session) await recordExpired(request);
    await checkOrigin(request, session);
    // From here on, a session is represented by its token.
    if (session && headers.authorization === undefined) {
      headers.authorization = `Bearer ${session.token}`;
      if (session.noted?.isWritten === false) access.onlyReads(request, audit.unavailable);
    }
    if (url.startsWith('/services/')) await forward(request, response, deps);
    else if (!servePage(pages, request, response)) app(request, response);
  }

  async function checkOrigin(request: IncomingMessage, session?: Session): Promise<void> {
    const why = originProblem(request, session !== undefined);
    if (why === undefined) return;
    log.warn({ why, from: clientAddress(request) }, 'cross-site request rejected');
    if (session) await record(request, 'cross-site request', session, why);
    throw new HttpProblem(403, why);
  }

  async function recordExpired(request: IncomingMessage): Promise<void> {
    const session = sessions.takeExpired(request.headers.cookie);
    if (session === undefined) return;
    const ended = new Date(session.expiresAt).toISOString();
    await record(
      request,
      'expired session',
      session,
      `the session ended at ${ended}; sign in again`,
    );
  }

  /**
   * Rejects the request even if the log cannot be written. Counts as anonymous: another site's page must not use up its visitor's limit of
   * changes.
   */
  async function record(request: IncomingMessage, what: string, { name }: Session, why: string) {
    const target = `${request.method} ${request.url?.split('?', 1)[0]?.slice(0, 200)}`;
    const from = clientAddress(request);
    const entry = { who: name, from, what, target, outcome: `rejected: ${why}` };
    await deps.audit.begin(entry, true).catch((error: unknown) => {
      log.error({ err: error, entry }, 'audit log entry not written');
    });
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // Leaving a page ends its requests.
      const hasLeft = response.destroyed;
      const status = sendProblem(response, error, placeOf(deps.rack.rack));
      if (status >= 500 && !hasLeft) log.error({ err: error }, 'request failed');
    });
  };
}
