/** What a browser session means for a request, before it reaches a route. */
import type { IncomingMessage } from 'node:http';
import { clientAddress, HttpProblem, type Logger, type ServiceContext } from '@skolo/common';
import { pathOf, type Stage } from '@skolo/common/light';
import { originProblem } from '../serve/origin.ts';
import type { Session, Sessions } from '../serve/sessions.ts';

interface SessionDeps extends Pick<ServiceContext, 'access' | 'audit' | 'log'> {
  sessions: Sessions;
}

/**
 * Rejects changes by other sites' pages, and records them, and the first request of an expired session. For all later stages, a session is its
 * token.
 */
export function browserSession({ sessions, access, audit, log }: SessionDeps): Stage {
  return async (request, _response, next) => {
    const { cookie, authorization } = request.headers;
    const session = sessions.find(cookie);
    const expired = session ? undefined : sessions.takeExpired(cookie);
    if (expired !== undefined) {
      const ended = new Date(expired.expiresAt).toISOString();
      const why = `the session ended at ${ended}; sign in again`;
      await record({ request, what: 'expired session', session: expired, why }, { audit, log });
    }
    const why = originProblem(request, session !== undefined);
    if (why !== undefined) {
      log.warn({ why, from: clientAddress(request) }, 'cross-site request rejected');
      if (session)
        await record({ request, what: 'cross-site request', session, why }, { audit, log });
      throw new HttpProblem(403, why);
    }
    if (session && authorization === undefined) {
      request.headers.authorization = `Bearer ${session.token}`;
      if (session.noted?.isWritten === false) access.onlyReads(request, audit.unavailable);
    }
    next();
  };
}

interface Rejected {
  request: IncomingMessage;
  what: string;
  session: Session;
  why: string;
}

/**
 * The request is rejected even if the log cannot be written. Counts as anonymous: another site's page must not use up its visitor's limit of
 * changes.
 */
async function record(
  { request, what, session, why }: Rejected,
  { audit, log }: { audit: ServiceContext['audit']; log: Logger },
): Promise<void> {
  const target = `${request.method} ${pathOf(request).slice(0, 200)}`;
  const from = clientAddress(request);
  const entry = { who: session.name, from, what, target, outcome: `rejected: ${why}` };
  await audit.begin(entry, true).catch((error: unknown) => {
    log.error({ err: error, entry }, 'audit log entry not written');
  });
}
