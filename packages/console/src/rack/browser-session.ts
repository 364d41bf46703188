/** Decides what a browser session allows a request, before it reaches a route. */
import type { IncomingMessage } from 'node:http';
import { clientAddress, HttpProblem, type ServiceContext } from '@skolo/common';
import { pathOf, type Stage } from '@skolo/common/light';
import { originProblem } from '../serve/origin.ts';
import type { Session, Sessions } from '../serve/sessions.ts';

interface SessionDeps extends Pick<ServiceContext, 'access' | 'audit' | 'log'> {
  sessions: Sessions;
}

/**
 * Rejects changes by other sites' pages, and records them, and the first request of an expired session. For all later stages, a session is
 * its token.
 */
export function browserSession({ sessions, access, audit, log }: SessionDeps): Stage {
  /**
   * The request is rejected even if the log cannot be written. Counts as anonymous: another site's page must not use up its visitor's limit
   * of changes.
   */
  async function record(
    request: IncomingMessage,
    { name: who }: Session,
    what: string,
    why: string,
  ) {
    const target = `${request.method} ${pathOf(request).slice(0, 200)}`;
    const from = clientAddress(request);
    const entry = { who, from, what, target, outcome: `rejected: ${why}` };
    await audit.appendLimited(entry, true).catch((error: unknown) => {
      log.error({ err: error, entry }, 'audit log entry not written');
    });
  }

  return async (request, _response, next) => {
    const { cookie, authorization } = request.headers;
    const session = sessions.find(cookie);
    const expired = session ? undefined : sessions.takeExpired(cookie);
    if (expired !== undefined) {
      const ended = new Date(expired.expiresAt).toISOString();
      await record(
        request,
        expired,
        'expired session',
        `the session ended at ${ended}; sign in again`,
      );
    }
    const why = originProblem(request, session !== undefined);
    if (why !== undefined) {
      log.warn({ why, from: clientAddress(request) }, 'cross-site request rejected');
      if (session) await record(request, session, 'cross-site request', why);
      throw new HttpProblem(403, why);
    }
    if (session && authorization === undefined) {
      request.headers.authorization = `Bearer ${session.token}`;
      if (session.noted?.isWritten === false) access.onlyReads(request, audit.unavailable);
    }
    next();
  };
}
