/** Generates new values of secrets, and decides how long passwords are, and of which characters. */
import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { agentPublicKey, newAgentKey, Secret } from '@skolo/base/secrets';
import { newRackKey } from '@skolo/rack/jumphost';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { z } from 'zod';

/** Kinds of secrets that can be generated from random numbers. */
export const generatedKinds = [
  'password',
  'passphrase',
  'snmp-community',
  'snmp-key',
  'token',
  'agent-key',
  'k3s-token',
  'backup-key',
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
    case 'backup-key':
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

const sshKeyType = 'ssh-ed25519';
const Jwk = z.object({ x: z.base64url(), d: z.base64url() });

/**
 * A new Ed25519 SSH key in OpenSSH's format (PROTOCOL.key), without a passphrase.
 *
 * @param comment at the end of the public key
 * @returns `public`: a line for authorized_keys
 */
function newSshKey(comment: string): { private: Secret; public: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = Jwk.parse(privateKey.export({ format: 'jwk' }));
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const blob = Buffer.concat([field(sshKeyType), field(point)]);
  // Equal numbers show a reader that it has decrypted the rest correctly.
  const check = randomBytes(4);
  const secret = [
    field(sshKeyType),
    field(point),
    field(Buffer.concat([seed, point])),
    field(comment),
  ];
  const content = padded(Buffer.concat([check, check, ...secret]));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field('')],
    ...[number(1), field(blob), field(content)],
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  const marks = ['-----BEGIN OPENSSH PRIVATE KEY-----', '-----END OPENSSH PRIVATE KEY-----'];
  return {
    private: new Secret(`${[marks[0], ...lines, marks[1]].join('\n')}\n`),
    public: `${sshKeyType} ${blob.toString('base64')} ${comment}`,
  };
}

/** As OpenSSH writes numbers, and texts with their length. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

/** To a multiple of eight bytes, by 1, 2, 3 … */
function padded(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, i) => i + 1))]);
}
