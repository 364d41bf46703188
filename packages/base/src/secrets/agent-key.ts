/** The Ed25519 key that signs requests to a rack's agents. Agents use its public key, which rack.yaml contains in plain text. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { SecretRef } from './login.ts';
import { readSecret, Secret, SecretError } from './secret.ts';

/** `access.agents` of rack.yaml. */
interface AgentKeys {
  privateKey: SecretRef;
  /** As {@link agentPublicKey}; absent until somebody has added it to rack.yaml. */
  publicKey?: string;
}

/** A new private key: PKCS #8, PEM. */
export function newAgentKey(): Secret {
  const { privateKey } = generateKeyPairSync('ed25519');
  return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** The public key in base64url, 43 characters: `x` in RFC 8037. @throws Error It is not a private Ed25519 key. */
export function agentPublicKey(privateKey: Secret): string {
  const { crv, x } = createPrivateKey(privateKey.reveal()).export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new Error('it is not an Ed25519 key');
  return x;
}

/** For the agent, which verifies signatures with it. @throws Error It is not a public Ed25519 key. */
export function parseAgentPublicKey(x: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** Undefined: the private key belongs to the public one in rack.yaml. */
export function agentKeyFault(privateKey: Secret, { publicKey }: AgentKeys): string | undefined {
  try {
    const own = agentPublicKey(privateKey);
    if (own === publicKey) return undefined;
    return `belongs to the public key ${own}, but access.agents.publicKey in rack.yaml is ${publicKey ?? 'absent'}`;
  } catch {
    // The message of node:crypto would not help.
    return 'is not an Ed25519 private key in PEM';
  }
}

/**
 * The private key, read again at each call, so that a new one is used.
 *
 * @throws Error rack.yaml does not contain one. @throws SecretError It cannot be read, or agents would reject its signatures.
 */
export async function readAgentKey(
  rack: { dir: string; access: { agents?: AgentKeys } },
  env?: NodeJS.ProcessEnv,
): Promise<KeyObject> {
  const { agents } = rack.access;
  if (agents === undefined) {
    throw new Error(
      'requests to agents cannot be signed, because rack.yaml does not contain access.agents; add it',
    );
  }
  const secret = await readSecret(rack, agents.privateKey, env);
  const fault = agentKeyFault(secret, agents);
  if (fault === undefined) return createPrivateKey(secret.reveal());
  throw new SecretError(
    'SECRET_INVALID',
    'access.agents.privateKey',
    `the key ${fault}`,
    'specify the matching private key',
  );
}
