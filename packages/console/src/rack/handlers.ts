/** The console's sign-in and sign-out. */
import { hostname } from 'node:os';
import type { ConsoleSession, consoleApi } from '@skolo/api';
import {
  type AccessControl,
  type Caller,
  HttpProblem,
  type Logger,
  type Noted,
  placeOf,
  type RouteHandlers,
  type ServiceContext,
  storageText,
} from '@skolo/common';
import type { Session, Sessions } from '../serve/sessions.ts';

interface Deps extends Pick<ServiceContext, 'rack' | 'version' | 'audit'> {
  access: Pick<AccessControl, 'admitToken'>;
  sessions: Sessions;
}

export function consoleHandlers(deps: Deps): RouteHandlers<typeof consoleApi> {
  const { rack, version, access, sessions, audit } = deps;

  function describe({ name, role, by }: Caller, session: Session | undefined): ConsoleSession {
    const onlyReads = session?.noted?.isWritten === false;
    return {
      rack: rack.rack.name,
      version,
      name,
      role: onlyReads ? 'view' : role,
      ...(onlyReads && { onlyReads: storageText(audit.unavailable, placeOf(rack.rack)) }),
      signedIn: by !== 'network',
      ...(session && { expiresAt: new Date(session.expiresAt).toISOString() }),
    };
  }

  function redeem(code: string, from: string, log: Logger): string {
    const token = sessions.redeem(code);
    if (token !== undefined) return token;
    log.warn({ from }, 'sign-in link rejected');
    throw new HttpProblem(
      401,
      'this link has expired or has already been used; run `skolo console` again, or sign in with a token',
    );
  }

  function note(
    what: string,
    { caller, from, requestId }: { caller: Caller; from: string; requestId: string },
  ): Promise<Noted> {
    const { name: who, role } = caller;
    const entry = { who, role, from, what, target: hostname(), requestId };
    return audit.note({ ...entry, outcome: 'done' });
  }

  return {
    session: ({ caller, headers }) => ({
      status: 200,
      body: describe(caller, sessions.find(headers.cookie)),
    }),
    async signIn({ body, from, log, requestId }) {
      const token = body.code === undefined ? (body.token ?? '') : redeem(body.code, from, log);
      const caller = await access.admitToken(token, from, log);
      const noted = await note('signIn', { caller, from, requestId });
      const isSecure = rack.rack.services['machine-state'].tls !== undefined;
      const { session, cookie } = sessions.start({ token, name: caller.name, noted }, isSecure);
      return { status: 201, headers: { 'set-cookie': cookie }, body: describe(caller, session) };
    },
    async signOut(request) {
      await note('signOut', request);
      return { status: 204, headers: { 'set-cookie': await sessions.end(request.headers.cookie) } };
    },
    async createLink(request) {
      const { headers, caller } = request;
      const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
      if (token === undefined) {
        throw new HttpProblem(
          403,
          'a sign-in link requires a token; create one with `skolo token new`, and send it as a bearer token',
        );
      }
      await note('createLink', request);
      const { code, expiresAt } = sessions.createLink({ token, name: caller.name });
      return { status: 201, body: { code, expiresAt: new Date(expiresAt).toISOString() } };
    },
  };
}
