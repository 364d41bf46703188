/**
 * Sends HTTP requests to equipment, for all HTTP drivers: one connection for each, one deadline, a limited response, and errors in the
 * classes of packages/equipment. A redirect is followed once, to the same path plus a slash on the same host and port.
 *
 * Secrets: most of this equipment only supports plain http, so its password is only as safe as the rack's own network. If a device offers
 * digest authentication, the password itself is never sent (except with the first request to a model that usually takes Basic), and once
 * digest has succeeded, Basic is never used. Over https, nothing is sent
 * before the device has presented its certificate, see tls.ts. Messages never contain requests, because some devices require the password
 * in the URL.
 */
import { withDeadline } from '@skolo/base';
import { type Credentials, secretsOf } from '@skolo/base/secrets';
import { addressOf, type Endpoint } from '../endpoint.ts';
import { DeviceBusy, DeviceRejected, DeviceTimeout, SignInRejected } from '../errors.ts';
import { withAnyOf } from '../session/any-of.ts';
import { withoutSecrets } from '../stream/redact.ts';
import type { Talk } from '../stream/transcript.ts';
import { inItsForm } from './again.ts';
import {
  type Exchange,
  exchangeOnce,
  type HttpAccess,
  type HttpAnswer,
  type HttpRequest,
  type RawAnswer,
} from './exchange.ts';
import { answerTo, BasicNotOffered, basicHeader, schemesIn } from './sign-in.ts';

export type { HttpAnswer };

export interface HttpOptions {
  /**
   * How the device accepts the password: with the first request (`basic`; or by digest, if it offers no Basic); after a challenge, only by
   * digest (`digest`), or also by Basic until digest has succeeded (`challenge`); or in another way that the driver implements.
   */
  signIn: 'basic' | 'digest' | 'challenge' | 'by-driver';
  https?: boolean;
  /** For each request. */
  headers?: Readonly<Record<string, string>>;
  /** For each request that does not set `timeoutMs`; default: 5. */
  timeoutSeconds?: number;
  /** The reason in an error's body, for the message. */
  reason?: (body: string) => string | undefined;
}

/**
 * A response with a status of 200 to 299.
 *
 * @throws DeviceError, or the signal's reason
 */
type SendHttp = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

export function httpTo(
  endpoint: Endpoint,
  deps: HttpAccess,
  { signIn, https = false, headers, timeoutSeconds = 5, reason }: HttpOptions,
): SendHttp {
  return async ({ json, ...asked }, signal) => {
    const type = json && { 'content-type': 'application/json' };
    const request = {
      ...asked,
      headers: { ...headers, ...type, ...asked.headers },
      ...(json && { body: JSON.stringify(json) }),
    };
    const { name, ports } = endpoint;
    const address = addressOf(endpoint);
    const port = ports.http ?? (https ? 443 : 80);
    const login: Credentials = request.anonymous ? { legacySsh: false } : await deps.credentials();
    const talk: Talk = { kind: 'http', https };
    deps.onTranscript?.('us', `${requestLine(request, login)}\n`, talk);
    if (deps.dry) return { status: 200, body: '', headers: {} };
    if (deps.replay) {
      const answer = deps.replay(requestLine(request, login));
      const about = { endpoint, credentials: login };
      judge(about, { ...answer, challenge: '' }, reason?.(answer.body) ?? '', signIn);
      return answer;
    }
    const { timeoutMs = timeoutSeconds * 1000 } = request;
    const silence = `no response from ${address}:${port} within ${timeoutMs / 1000} s`;
    const late = () => new DeviceTimeout(name, silence);
    return await withDeadline({ ms: timeoutMs, late, signal }, async (limit) => {
      const way = request.anonymous ? 'by-driver' : signIn;
      // A driver that implements sign-in also tries the other values.
      const tried = way === 'by-driver' ? { ...login, others: [] } : login;
      return await withAnyOf(tried, async (credentials) => {
        const exchange = { endpoint, https, address, port, deps, credentials, signal: limit };
        const answer = await inItsForm(exchange, request, (each) => signedIn(exchange, each, way));
        const { body: said, status: code, headers: given } = answer;
        Object.assign(talk, { status: code, headers: given });
        deps.onTranscript?.('device', hidden(said, secretsIn(request, login)), talk);
        const why = reason?.(answer.body) ?? '';
        judge(exchange, answer, shown(why, secretsIn(request, login)), way);
        await answer.letIn();
        const { status, body, headers: received } = answer;
        return { status, body, headers: received };
      });
    });
  };
}

/** With its body. Secrets in a path are escaped. */
function requestLine(request: HttpRequest, login: Credentials) {
  const { method = 'GET', path, body = '' } = request;
  return hidden(`${method} ${path} ${body}`.trimEnd(), secretsIn(request, login));
}

function hidden(text: string, secrets: readonly string[]): string {
  const written = secrets.flatMap((secret) => {
    const asForm = new URLSearchParams([['', secret]]).toString().slice(1);
    const asJson = JSON.stringify(secret).slice(1, -1);
    return [secret, encodeURIComponent(secret), asForm, asForm.replaceAll('+', '%20'), asJson];
  });
  return written.reduce(
    (rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '<secret>')),
    text,
  );
}

function secretsIn({ session }: HttpRequest, login: Credentials): string[] {
  return [...secretsOf(login), ...(session ? [session.reveal()] : [])];
}

async function signedIn(
  exchange: Exchange,
  request: HttpRequest,
  way: HttpOptions['signIn'],
): Promise<RawAnswer> {
  const { endpoint, credentials, deps } = exchange;
  if (way === 'by-driver') return await exchangeOnce(exchange, request, undefined);
  const isBasic = way === 'basic' && !deps.hostKeys.usesDigest(endpoint.name);
  const bearer = credentials.token && `Bearer ${credentials.token.reveal()}`;
  const first = await exchangeOnce(exchange, request, isBasic ? basicHeader(credentials) : bearer);
  if (first.status !== 401 || credentials.password === undefined) return first;
  if (isBasic ? schemesIn(first.challenge).includes('basic') : bearer) return first;
  const { method = 'GET', path } = request;
  const answer = answerTo(first.challenge, { method, path }, credentials);
  if (answer === undefined && isBasic) return first;
  if (answer === undefined) throw new DeviceRejected(endpoint.name, unknownScheme(first.challenge));
  const isDigest = answer.startsWith('Digest ');
  if (!isDigest && (way === 'digest' || deps.hostKeys.usesDigest(endpoint.name))) {
    const swapped = `if it was replaced, run: skolo equipment forget ${endpoint.name}`;
    const hint = way === 'digest' ? 'check it' : swapped;
    const what = 'requests the password in clear text (Basic) instead of as a digest';
    throw new DeviceRejected(
      endpoint.name,
      `${what}: another host may be intercepting the connection; ${hint}`,
    );
  }
  let second = await exchangeOnce(exchange, request, answer);
  if (second.status === 401 && /\bstale\s*=\s*"?true/i.test(second.challenge)) {
    // The nonce expired, but the password is right (RFC 7616, 3.3; ioBroker.shelly pull 1588).
    const fresh = answerTo(second.challenge, { method, path }, credentials);
    if (fresh?.startsWith('Digest ')) second = await exchangeOnce(exchange, request, fresh);
  }
  // After it has succeeded, as for host keys.
  if (isDigest && way !== 'digest' && second.status < 400)
    await deps.hostKeys.pinDigest(endpoint.name);
  return second;
}

function unknownScheme(challenge: string): string {
  const schemes = [...new Set(schemesIn(challenge))].join(' or ').slice(0, 100);
  return `requires an unknown authentication scheme${schemes && ` (${schemes})`}; skolo supports Basic, and Digest with MD5 or SHA-256`;
}

/** Throws the error for a status that is not a success. */
function judge(
  { endpoint: { name }, credentials }: Pick<Exchange, 'endpoint' | 'credentials'>,
  { status, challenge, body }: Omit<RawAnswer, 'letIn'>,
  reason: string,
  way: HttpOptions['signIn'],
): void {
  if (status >= 200 && status < 300) return;
  const why = reason === '' ? '' : `: ${reason}`;
  const hasLogin = credentials.password !== undefined || credentials.token !== undefined;
  if ((status === 401 || status === 403) && !hasLogin)
    throw new SignInRejected(name, `requires a password (status ${status})${why}`);
  if (status === 403) {
    const what = 'rejects its login, or does not allow it to do this';
    throw new SignInRejected(name, `${what} (status 403)${why}`);
  }
  if (status === 401) {
    const isOther = way === 'basic' && !schemesIn(challenge).includes('basic');
    const what = `rejects the ${credentials.token === undefined ? 'password' : 'token'} in its login`;
    const text = isOther && challenge !== '' ? unknownScheme(challenge) : what;
    throw new (isOther ? BasicNotOffered : SignInRejected)(name, `${text} (status 401)${why}`);
  }
  if (status === 429 || status === 503) {
    throw new DeviceBusy(name, `busy (status ${status})${why}`);
  }
  if (status >= 300 && status < 400) {
    throw new DeviceRejected(name, `returned a redirect (status ${status}); it may require https`);
  }
  // As nginx, Apache httpd and Go say it.
  const isTls = status === 400 && /\bHTTPS (?:server|port)|\bSSL-enabled server/i.test(body);
  throw new DeviceRejected(
    name,
    isTls ? 'requires https (status 400)' : `returned status ${status}${why}`,
  );
}

/** A short text from the device, without secrets that it may repeat. */
function shown(text: string, secrets: readonly string[]): string {
  const signedIn = text.replaceAll(/\b(?:Basic|Bearer|Digest) [^\s"',;]+/gi, '<secret>');
  return withoutSecrets(signedIn, secrets).replaceAll(/\s+/g, ' ').slice(0, 200);
}
