/**
 * Signs requests to agents, and decides whether a signature is valid: HTTP Message Signatures (RFC 9421) with Ed25519,
 * in a single form. Every component is always covered, including the digest (RFC 9530) of an empty body. The nonce is a challenge from
 * an answer of that agent:
 *
 *     Accept-Signature: skolo=("@method" …);nonce="…";alg="ed25519";tag="skolo"        each answer of the agent
 *     Signature-Input:  the same, Signature: skolo=:…:                                 each signed request
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { sha256Bytes } from '@skolo/base';
import { rackHeader } from './rack-header.ts';

/** The machine whose agent is addressed. */
const machineHeader = 'x-skolo-machine';
/** The public key with which a machine signs its own requests: `x` of RFC 8037. */
export const agentKeyHeader = 'x-skolo-agent-key';
/** Contains the agent's next challenge (RFC 9421, section 5.1). */
export const challengeHeader = 'accept-signature';

const components = ['@method', '@path', '@query', rackHeader, machineHeader, 'content-digest'];
const covered = components.map((each) => `"${each}"`).join(' ');

/** A request without its authority: a tunnel changes that, and {@link Receiver} names the agent. */
interface SignedRequest {
  method: string;
  /** Path and query as sent. */
  target: string;
  /** `Content-Digest` of the body. */
  digest: string;
}

/** The intended receiver of a request; for requests of a machine, which machine sent it. */
export interface Receiver {
  rack: string;
  machine: string;
}

/** Signs requests to one agent. */
export interface Signer {
  /** Headers of a signed request. Each challenge is used once; undefined without one: the agent's response will contain one. */
  sign(request: Omit<SignedRequest, 'digest'> & { body: string }): Headers | undefined;
  /** Stores the challenge of a response, if it has one. */
  learn(headers: { get(name: string): string | null }): void;
}

type Headers = Record<string, string>;

export function createSigner(privateKey: KeyObject, receiver: Receiver): Signer {
  let challenge: string | undefined;
  return {
    sign({ method, target, body }) {
      const nonce = challenge;
      // Synchronously, so that no other request of this client uses the same challenge.
      challenge = undefined;
      if (nonce === undefined) return undefined;
      const digest = contentDigest(body);
      const base = signatureBase({ method, target, digest }, receiver, nonce);
      return {
        [rackHeader]: receiver.rack,
        [machineHeader]: receiver.machine,
        'content-digest': digest,
        'signature-input': signatureInput(nonce),
        signature: `skolo=:${sign(null, base, privateKey).toString('base64')}:`,
      };
    },
    learn(headers) {
      challenge = nonceOf(headers.get(challengeHeader) ?? undefined);
    },
  };
}

/** `Content-Digest` of a body. */
export function contentDigest(body: string): string {
  return `sha-256=:${sha256Bytes(body).toString('base64')}:`;
}

/** The value of `Signature-Input`, and of {@link challengeHeader}. */
export function signatureInput(nonce: string): string {
  return `skolo=${parameters(nonce)}`;
}

/** The nonce of such a value; undefined if the format differs. */
export function nonceOf(input: string | undefined): string | undefined {
  const [, nonce] = /;nonce="([\w-]{1,100})";/.exec(input ?? '') ?? [];
  return nonce !== undefined && input === signatureInput(nonce) ? nonce : undefined;
}

/**
 * Why the signature of a request with this nonce is invalid; undefined if it is valid. Does not check the body, which must match the digest
 * in its header.
 */
export function whyNotSigned(
  { method = '', url = '', headers }: Incoming,
  { key, rack, machine }: Receiver & { key: KeyObject },
  nonce: string,
): string | undefined {
  if (headers[rackHeader] !== rack || headers[machineHeader] !== machine) {
    return `the request is signed for a machine other than ${machine} of ${rack}`;
  }
  const digest = /^sha-256=:[A-Za-z0-9+/]{43}=:$/.exec(`${headers['content-digest']}`)?.[0];
  const [, signature] = /^skolo=:([A-Za-z0-9+/]{86}==):$/.exec(`${headers.signature}`) ?? [];
  if (digest === undefined || signature === undefined) {
    return 'the Content-Digest or Signature header is malformed';
  }
  const base = signatureBase({ method, target: url, digest }, { rack, machine }, nonce);
  return verify(null, base, key, Buffer.from(signature, 'base64'))
    ? undefined
    : 'the signature is invalid: it was created with a different key, or the request was modified after signing';
}

/** The checked part of node:http's request. */
interface Incoming {
  method?: string | undefined;
  url?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** RFC 9421, section 2.5. */
function signatureBase(
  { method, target, digest }: SignedRequest,
  { rack, machine }: Receiver,
  nonce: string,
): Buffer {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const query = at < 0 ? '?' : target.slice(at);
  const values = [method, path, query, rack, machine, digest];
  const lines = components.map((name, i) => `"${name}": ${values[i]}`);
  return Buffer.from([...lines, `"@signature-params": ${parameters(nonce)}`].join('\n'));
}

function parameters(nonce: string): string {
  return `(${covered});nonce="${nonce}";alg="ed25519";tag="skolo"`;
}
