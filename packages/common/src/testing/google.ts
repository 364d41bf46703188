/** A fake of Google's side of sign-in: keys at an address, and ID tokens signed with them. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen } from '../connections/listen.ts';

interface SigningKey {
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const pairs: { privateKey: KeyObject; publicKey: KeyObject }[] = [];

/** The pair of that number; making one takes longer than a test. */
function pair(number: number) {
  pairs[number] ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return pairs[number];
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

interface IdTokenOptions {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  /** Default: the newest key. */
  key?: SigningKey;
}

export async function startGoogle() {
  let rotations = 0;
  let status = 200;
  let body: string | undefined;
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    const { id, publicKey } = newest();
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: id, alg: 'RS256', use: 'sig' };
    response
      .writeHead(status, { 'cache-control': 'public, max-age=3600' })
      .end(body ?? JSON.stringify({ keys: [jwk] }));
  });
  const port = await listen(server, { port: 0, host: '127.0.0.1', flag: '--port' });
  async function close() {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  onTestFinished(close);

  function newest(): SigningKey {
    return { id: `key-${rotations}`, ...pair(rotations % 2) };
  }

  /** A token that is valid unless told otherwise; `now` in seconds since 1970. */
  function idToken(now: number, { claims, header, key = newest() }: IdTokenOptions = {}): string {
    const head = encode({ alg: 'RS256', typ: 'JWT', kid: key.id, ...header });
    const payload = encode({
      iss: 'https://accounts.google.com',
      aud: 'rack4',
      sub: '1',
      email: 'ann@example.com',
      email_verified: true,
      iat: now,
      exp: now + 3600,
      ...claims,
    });
    const signature = createSign('RSA-SHA256').update(`${head}.${payload}`).sign(key.privateKey);
    return `${head}.${payload}.${signature.toString('base64url')}`;
  }

  return {
    certsUrl: `http://127.0.0.1:${port}/certs`,
    idToken,
    /** Somebody else's key of the same id. */
    forgedKey: (): SigningKey => ({ ...newest(), ...pair(2) }),
    close,
    newest,
    /** Puts a new key in the place of all. */
    rotate: () => {
      rotations += 1;
    },
    answerWith: (given: { status?: number; body?: string }) => {
      status = given.status ?? 200;
      body = given.body;
    },
    requests: () => requests,
  };
}
