/**
 * Browser sessions, and links that start one. Only in memory: after a restart of the service, everybody signs in again. A session
 * represents a token, which is checked with each request, so revoking it or its expiry ends the session.
 */
import { randomBytes } from 'node:crypto';
import type { Noted } from '@skolo/common';
import type { Clock } from '@skolo/common/light';
import { whoMakesRoom } from '@skolo/common/light';

interface Person {
  token: string;
  name: string;
  /** The sign-in, in the audit log. */
  noted?: Pick<Noted, 'isWritten'>;
}

export interface Session extends Person {
  /** By the service's clock, in milliseconds. */
  expiresAt: number;
}

/** A working day and a night. */
const sessionMs = 12 * 3_600_000;
const linkMs = 60_000;
/** More than the browsers of a rack's users. The user with the most sessions loses one, so that nobody signs out others. */
const mostSessions = 1000;
const mostLinks = 100;

export class Sessions {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly cookieName: string;
  private readonly sessions = new Map<string, Session>();
  private readonly links = new Map<string, Session>();

  /** @param rack cookies ignore ports, and a workstation may have several racks on one host */
  constructor(rack: string, clock: Pick<Clock, 'now'>) {
    this.clock = clock;
    this.cookieName = `skolo-console-${rack.replace(/[^\w-]/g, '_')}`;
  }

  /** Starts a session. `cookie` is for `Set-Cookie`. */
  begin(caller: Person, isSecure: boolean): { session: Session; cookie: string } {
    const { id, entry } = this.keep(this.sessions, mostSessions, { ...caller, ms: sessionMs });
    return { session: entry, cookie: this.cookie(id, sessionMs / 1000, isSecure) };
  }

  /** The session of a request; undefined if there is none or it has expired. */
  find(cookieHeader: string | undefined): Session | undefined {
    const session = this.sessions.get(this.idIn(cookieHeader));
    return session && session.expiresAt > this.clock.now() ? session : undefined;
  }

  /** The session of a request, if it has expired; returned only once. */
  takeExpired(cookieHeader: string | undefined): Session | undefined {
    const id = this.idIn(cookieHeader);
    const session = this.sessions.get(id);
    if (session === undefined || session.expiresAt > this.clock.now()) return undefined;
    this.sessions.delete(id);
    return session;
  }

  /** Ends the session of a request. The result is for `Set-Cookie`. */
  end(cookieHeader: string | undefined): string {
    this.sessions.delete(this.idIn(cookieHeader));
    return this.cookie('', 0, false);
  }

  /** A code that signs in once. */
  createLink(caller: Person): { code: string; expiresAt: number } {
    const { id, entry } = this.keep(this.links, mostLinks, { ...caller, ms: linkMs });
    return { code: id, expiresAt: entry.expiresAt };
  }

  /** The token of a code; undefined if unknown, used or expired. */
  redeem(code: string): string | undefined {
    const link = this.links.get(code);
    this.links.delete(code);
    return link && link.expiresAt > this.clock.now() ? link.token : undefined;
  }

  private keep(
    map: Map<string, Session>,
    most: number,
    { ms, ...person }: Person & { ms: number },
  ) {
    if (map.size >= most) {
      const all = [...map].map(([id, session]) => ({ id, name: session.name }));
      map.delete(whoMakesRoom(all, person.name)?.id ?? '');
    }
    const id = randomBytes(32).toString('base64url');
    const entry = { ...person, expiresAt: this.clock.now() + ms };
    map.set(id, entry);
    return { id, entry };
  }

  private idIn(header = ''): string {
    for (const pair of header.split(';')) {
      const [name, value = ''] = pair.trim().split('=', 2);
      if (name === this.cookieName) return value;
    }
    return '';
  }

  private cookie(value: string, seconds: number, isSecure: boolean): string {
    const secure = isSecure ? '; Secure' : '';
    return `${this.cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}
