/** New values of secrets. */
import { randomBytes, randomInt } from 'node:crypto';
import { newRackKey } from '@skolo/rack/jumphost';
import { agentPublicKey, newAgentKey, Secret } from '@skolo/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { newSshKey } from './ssh-key.ts';

/** Kinds of secrets that can be generated from random numbers. */
export const generatedKinds = [
  'password',
  'passphrase',
  'snmp-community',
  'snmp-key',
  'token',
  'agent-key',
  'k3s-token',
  'ssh-key',
  'age-identity',
  'rack-key',
] as const;
type GeneratedKind = (typeof generatedKinds)[number];

interface GeneratedValue {
  value: Secret;
  /** The public part that others require, and its name: the public key, the recipient. */
  public?: { what: string; text: string };
}

/**
 * @param comment of an SSH key
 */
export async function generateValue(kind: GeneratedKind, comment: string): Promise<GeneratedValue> {
  switch (kind) {
    case 'ssh-key': {
      const key = newSshKey(comment);
      return { value: key.private, public: { what: 'public key', text: key.public } };
    }
    case 'age-identity': {
      const identity = await generateX25519Identity();
      const text = await identityToRecipient(identity);
      const lines = `# public key: ${text}\n${identity}\n`;
      return { value: new Secret(lines), public: { what: 'recipient', text } };
    }
    case 'agent-key': {
      const value = newAgentKey();
      const what = 'public key for access.agents.publicKey in rack.yaml';
      return { value, public: { what, text: agentPublicKey(value) } };
    }
    case 'rack-key':
      return { value: new Secret(newRackKey()) };
    case 'token':
      return { value: new Secret(randomBytes(32).toString('base64url')) };
    case 'k3s-token':
      return { value: new Secret(randomBytes(32).toString('hex')) };
    case 'snmp-community':
      return { value: new Secret(password(communityLength)) };
    default:
      return { value: new Secret(password()) };
  }
}

/** Without characters that are special on devices' command lines, and without look-alikes. */
const signs = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
/** Accepted by all examined devices, with 115 random bits. */
const usualLength = 20;
/** The maximum length for APC cards, with 85 random bits. */
const communityLength = 15;

/** It contains an upper-case letter, a lower-case letter and a digit, which some devices require. */
function password(length = usualLength): string {
  for (;;) {
    const text = Array.from({ length }, () => signs[randomInt(signs.length)]).join('');
    if (/[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text)) return text;
  }
}
