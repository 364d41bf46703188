/** How one signs in to a device: Basic (RFC 7617) and digest (RFC 7616, and RFC 2617 without `algorithm`) as servers check them. */
import { createHash, randomBytes } from 'node:crypto';
import type { Account, Answer, Asked } from './http-message.ts';

export interface SignIn {
  /** Whether this request may be carried out. */
  fits(asked: Asked): boolean;
  /** What it answers to whom it does not let in. */
  rejection(): Answer;
}

/** Without an account everybody is let in. @param open paths that need no sign-in */
export function basic(
  account: Account | undefined,
  realm: string,
  { body, open = [] }: { body?: string | object; open?: readonly string[] } = {},
): SignIn {
  return {
    fits: (asked) =>
      account === undefined || open.includes(asked.path) || basicFits(asked, account),
    rejection: () => ({
      status: 401,
      headers: { 'www-authenticate': `Basic realm="${realm}"` },
      ...(body !== undefined && { body }),
    }),
  };
}

export function digest(
  account: Account | undefined,
  { realm, algorithm }: { realm: string; algorithm: 'MD5' | 'SHA-256' },
  open: readonly string[] = [],
): SignIn {
  const server = new Digest(realm, algorithm);
  return {
    fits: (asked) =>
      account === undefined || open.includes(asked.path) || server.fits(asked, account),
    rejection: () => ({ status: 401, headers: { 'www-authenticate': server.challenge() } }),
  };
}

function basicFits({ headers }: Asked, { username, password }: Account): boolean {
  const encoded = /^Basic (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return Buffer.from(encoded, 'base64').toString() === `${username}:${password}`;
}

class Digest {
  private readonly realm: string;
  private readonly algorithm: 'MD5' | 'SHA-256';
  /** Each with the counter that was used last: a request that is played again does not count. */
  private readonly nonces = new Map<string, number>();

  constructor(realm: string, algorithm: 'MD5' | 'SHA-256') {
    this.realm = realm;
    this.algorithm = algorithm;
  }

  /** A `WWW-Authenticate` header with a nonce of its own. */
  challenge(): string {
    const nonce = randomBytes(8).toString('hex');
    this.nonces.set(nonce, 0);
    const algorithm = this.algorithm === 'MD5' ? '' : `, algorithm=${this.algorithm}`;
    return `Digest qop="auth", realm="${this.realm}", nonce="${nonce}"${algorithm}`;
  }

  fits({ method, target, headers }: Asked, { username, password }: Account): boolean {
    const given = parameters(headers.authorization ?? '');
    const { nonce = '', nc = '', cnonce = '', qop = '' } = given;
    const count = Number.parseInt(nc, 16);
    const last = this.nonces.get(nonce);
    if (last === undefined || !(count > last) || qop !== 'auth') return false;
    if (given.username !== username || given.realm !== this.realm || given.uri !== target) {
      return false;
    }
    const who = this.hash(`${username}:${this.realm}:${password}`);
    const what = this.hash(`${method}:${target}`);
    if (given.response !== this.hash(`${who}:${nonce}:${nc}:${cnonce}:${qop}:${what}`)) {
      return false;
    }
    this.nonces.set(nonce, count);
    return true;
  }

  private hash(content: string): string {
    const name = this.algorithm === 'MD5' ? 'md5' : 'sha256';
    return createHash(name).update(content).digest('hex');
  }
}

function parameters(header: string): Record<string, string> {
  if (!/^Digest /i.test(header)) return {};
  const pairs = header.slice(7).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]*))/g);
  return Object.fromEntries([...pairs].map(([, key, quoted, plain]) => [key, quoted ?? plain]));
}
