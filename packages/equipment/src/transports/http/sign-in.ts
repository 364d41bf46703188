/** HTTP authentication: Basic (RFC 7617) and digest (RFC 7616: MD5, SHA-256; RFC 2617 without `algorithm`). */
import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from '@skolo/base/secrets';
import { SignInRejected } from '../errors.ts';

/** A rejected sign-in by Basic, which the device does not offer: it may not have looked at the password. */
export class BasicNotOffered extends SignInRejected {}

export function basicHeader({ username, password }: Credentials): string | undefined {
  if (username === undefined && password === undefined) return undefined;
  const pair = `${username ?? ''}:${password?.reveal() ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

interface Challenge {
  scheme: string;
  parameters: Map<string, string>;
}

/** Best first. */
const algorithms = [
  { name: 'SHA-256', hash: 'sha256' },
  { name: 'MD5', hash: 'md5' },
] as const;

/**
 * The response to a `WWW-Authenticate` header, with the strongest scheme that it offers: digest with SHA-256, with MD5, Basic. Undefined if
 * it offers none of them.
 */
export function answerTo(
  header: string,
  { method, path }: { method: string; path: string },
  credentials: Credentials,
  cnonce = randomBytes(8).toString('hex'),
): string | undefined {
  const challenges = challengesIn(header);
  for (const { name, hash } of algorithms) {
    const challenge = challenges.find(({ scheme, parameters }) => {
      const algorithm = parameters.get('algorithm') ?? 'MD5';
      return scheme === 'digest' && algorithm.toUpperCase() === name;
    });
    if (challenge === undefined) continue;
    const { parameters } = challenge;
    const qops = parameters
      .get('qop')
      ?.split(',')
      .map((each) => each.trim());
    if (qops && !qops.includes('auth')) continue;
    const digest = (text: string) => createHash(hash).update(text).digest('hex');
    const { username = '', password } = credentials;
    const [realm = '', nonce = ''] = [parameters.get('realm'), parameters.get('nonce')];
    const who = digest(`${username}:${realm}:${password?.reveal() ?? ''}`);
    const what = digest(`${method}:${path}`);
    const count = '00000001';
    const response = qops
      ? digest(`${who}:${nonce}:${count}:${cnonce}:auth:${what}`)
      : digest(`${who}:${nonce}:${what}`);
    const opaque = parameters.get('opaque');
    return [
      `Digest username="${escaped(username)}", realm="${escaped(realm)}", nonce="${escaped(nonce)}"`,
      `uri="${path}", response="${response}"`,
      ...(parameters.has('algorithm') ? [`algorithm=${name}`] : []),
      ...(qops ? [`qop=auth, nc=${count}, cnonce="${cnonce}"`] : []),
      ...(opaque === undefined ? [] : [`opaque="${escaped(opaque)}"`]),
    ].join(', ');
  }
  return schemesIn(header).includes('basic') ? basicHeader(credentials) : undefined;
}

/** The schemes that a `WWW-Authenticate` header offers, in lower case. */
export function schemesIn(header: string): string[] {
  return challengesIn(header).map(({ scheme }) => scheme);
}

/** A comma, a scheme's name, or a parameter. Each character is read once: what is not closed extends to the end. */
const parts = /,|([\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]+)))?/gs;

/** Several may be in one header, or in several that Node joins with commas. */
function challengesIn(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let mayBegin = true;
  for (const [part, word = '', quoted, plain] of header.matchAll(parts)) {
    const [name, value] = [word.toLowerCase(), quoted?.replaceAll(/\\(.)/gs, '$1') ?? plain];
    if (value !== undefined) challenges.at(-1)?.parameters.set(name, value);
    else if (mayBegin && name !== '') challenges.push({ scheme: name, parameters: new Map() });
    mayBegin = part === ',';
  }
  return challenges;
}

function escaped(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&');
}
