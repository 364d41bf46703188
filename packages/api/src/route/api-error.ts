/** Errors of a client: the service rejected the request, its response is not valid, or it is unreachable. */
import { errorCode, errorText, NamedError } from '@skolo/base';
import type { Problem } from './problem.ts';

/** The service rejected the request, or its response is not valid. `problem.detail` says why and what to do. */
export class ApiError extends NamedError {
  readonly code = 'API_ERROR';
  /** HTTP status; 2xx if the response does not match the route. */
  readonly status: number;
  readonly problem: Problem;
  /** The request, for debugging: `GET http://…/v1/clients`. Not in the message. */
  readonly call: string;

  constructor(call: string, problem: Problem) {
    super(problem.detail);
    this.call = call;
    this.status = problem.status;
    this.problem = problem;
  }
}

/** No response: the service is down, unreachable, or too slow. Worth a retry. */
export class ApiUnreachable extends NamedError {
  readonly code = 'API_UNREACHABLE';
  readonly url: string;
  /** The message without the URL. */
  readonly why: string;
  /** False: there was no connection, so the service did not receive the request. */
  readonly mayHaveArrived: boolean;

  constructor(url: string, why: string, cause?: unknown) {
    super(`${url}: ${why}`, { cause });
    this.url = url;
    this.why = why;
    this.mayHaveArrived = !notConnected.has(codeOf(reasonOf(cause)));
  }
}

/** Codes of errors that occur before a connection is open. */
const notConnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Why a `fetch` failed. */
export function whyFetchFailed(error: unknown): string {
  const cause = reasonOf(error);
  const code = codeOf(cause);
  const reason = reasons.get(code);
  if (reason !== undefined) return `${reason} (${code})`;
  const message = errorText(cause);
  return `the request failed: ${message}${code === '' ? '' : ` (${code})`}`;
}

/** undici only has the reason in the cause. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** The code of an error. HTTP parser errors have no code, or one of many. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'HTTPParserError') return error.name;
  return errorCode(error) ?? '';
}

const broken = 'the connection was closed before the response was complete';
const untrusted = 'the TLS certificate is not trusted; set NODE_EXTRA_CA_CERTS to the CA file';
const noTls = 'the server does not use TLS; try http://';

const reasons = new Map([
  [
    'ECONNREFUSED',
    'connection refused; check that the service is running and that this is its port',
  ],
  ['ENOTFOUND', 'the host name is unknown; check the URL'],
  ['EAI_AGAIN', 'the host name could not be resolved; check the network'],
  ['ETIMEDOUT', 'no connection; the host did not respond'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection; the host did not respond'],
  ['UND_ERR_HEADERS_TIMEOUT', 'connected, but there was no response for 300 s'],
  ['UND_ERR_BODY_TIMEOUT', 'connected, but the response stalled for 300 s'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['ECONNRESET', broken],
  ['EPIPE', broken],
  ['UND_ERR_SOCKET', broken],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['CERT_HAS_EXPIRED', 'the TLS certificate has expired'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the TLS certificate is for a different host name'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', noTls],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', noTls],
  ['HTTPParserError', 'the response is not HTTP; this may be an https:// port'],
]);
