/**
 * Decides when a browser session ends, and how long a sign-in link is valid. A session is its cookie, which contains the token,
 * encrypted: so it survives a restart of the service, and no number of sign-ins ends other people's sessions. The token is checked with
 * each request, so revoking it or its expiry ends the session.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { parseJson } from '@skolo/base';
import type { Noted } from '@skolo/common';
import { type Clock, whoMakesRoom } from '@skolo/common/light';
import { z } from 'zod';
import { type SessionStore, sessionsInMemory } from './session-store.ts';

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

const Sealed = z.object({
  id: z.string(),
  token: z.string(),
  name: z.string(),
  expiresAt: z.number(),
  /** Whether the audit log contained the sign-in when the cookie was made. */
  isNoted: z.boolean(),
});
type Sealed = z.output<typeof Sealed>;

/** A working day and a night. */
const sessionMs = 12 * 3_600_000;
const linkMs = 60_000;
/** The user with the most links loses one. */
const mostLinks = 100;
/** Of AES-GCM. Source: NIST SP 800-38D, 5.2.1.1 and 5.2.1.2. */
const [ivBytes, tagBytes] = [12, 16];

export class Sessions {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly cookieName: string;
  private readonly store: SessionStore;
  /** Sign-ins that the audit log did not contain, by session. */
  private readonly notes = new Map<string, Required<Pick<Session, 'noted' | 'expiresAt'>>>();
  private readonly links = new Map<string, Session>();

  /** @param rack cookies ignore ports, and a workstation may have several racks on one host */
  constructor(rack: string, clock: Pick<Clock, 'now'>, store = sessionsInMemory()) {
    this.clock = clock;
    this.store = store;
    this.cookieName = `skolo-console-${rack.replace(/[^\w-]/g, '_')}`;
  }

  /** Starts a session. `cookie` is for `Set-Cookie`. */
  start({ token, name, noted }: Person, isSecure: boolean): { session: Session; cookie: string } {
    const id = randomBytes(16).toString('base64url');
    const expiresAt = this.clock.now() + sessionMs;
    const isNoted = noted?.isWritten !== false;
    if (noted && !isNoted) this.notes.set(id, { noted, expiresAt });
    this.forgetExpired();
    void this.store.save();
    const value = this.seal({ id, token, name, expiresAt, isNoted });
    const session = { token, name, expiresAt, ...(noted && { noted }) };
    return { session, cookie: this.cookie(value, sessionMs / 1000, isSecure) };
  }

  /** The session of a request; undefined if there is none or it has ended. */
  find(cookieHeader: string | undefined): Session | undefined {
    const sealed = this.open(cookieHeader);
    if (sealed === undefined || sealed.expiresAt <= this.clock.now()) return undefined;
    const { id, token, name, expiresAt, isNoted } = sealed;
    // After a restart, nobody knows whether the audit log contains the sign-in.
    const noted = this.notes.get(id)?.noted ?? { isWritten: isNoted };
    return { token, name, expiresAt, noted };
  }

  /** The session of a request, if it has expired; returned only once. */
  takeExpired(cookieHeader: string | undefined): Session | undefined {
    const sealed = this.open(cookieHeader);
    const now = this.clock.now();
    if (sealed === undefined || sealed.expiresAt > now) return undefined;
    this.store.ended.set(sealed.id, now + sessionMs);
    return sealed;
  }

  /** Ends the session of a request. The result is for `Set-Cookie`. */
  async end(cookieHeader: string | undefined): Promise<string> {
    const sealed = this.open(cookieHeader);
    if (sealed !== undefined) {
      this.store.ended.set(sealed.id, sealed.expiresAt);
      await this.store.save();
    }
    return this.cookie('', 0, false);
  }

  /** A code that signs in once. */
  createLink({ token, name }: Person): { code: string; expiresAt: number } {
    if (this.links.size >= mostLinks) {
      const all = [...this.links].map(([id, link]) => ({ id, name: link.name }));
      this.links.delete(whoMakesRoom(all, name)?.id ?? '');
    }
    const code = randomBytes(32).toString('base64url');
    const expiresAt = this.clock.now() + linkMs;
    this.links.set(code, { token, name, expiresAt });
    return { code, expiresAt };
  }

  /** The token of a code; undefined if unknown, used or expired. */
  redeem(code: string): string | undefined {
    const link = this.links.get(code);
    this.links.delete(code);
    return link && link.expiresAt > this.clock.now() ? link.token : undefined;
  }

  private forgetExpired(): void {
    const now = this.clock.now();
    for (const [id, expiresAt] of this.store.ended)
      if (expiresAt < now) this.store.ended.delete(id);
    for (const [id, { expiresAt }] of this.notes) if (expiresAt < now) this.notes.delete(id);
  }

  private seal(sealed: Sealed): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.store.key, iv, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(this.cookieName));
    const text = Buffer.concat([cipher.update(JSON.stringify(sealed)), cipher.final()]);
    return Buffer.concat([iv, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined: not sealed here, or ended. */
  private open(cookieHeader: string | undefined): Sealed | undefined {
    const bytes = Buffer.from(this.valueIn(cookieHeader), 'base64url');
    if (bytes.length < ivBytes + tagBytes) return undefined;
    const [iv, tag] = [bytes.subarray(0, ivBytes), bytes.subarray(-tagBytes)];
    const cipher = createDecipheriv('aes-256-gcm', this.store.key, iv, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(this.cookieName)).setAuthTag(tag);
    try {
      const text = Buffer.concat([
        cipher.update(bytes.subarray(ivBytes, -tagBytes)),
        cipher.final(),
      ]);
      const sealed = Sealed.parse(parseJson(text.toString()));
      return this.store.ended.has(sealed.id) ? undefined : sealed;
    } catch {
      // Of an earlier key, or forged.
      return undefined;
    }
  }

  private valueIn(header = ''): string {
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
