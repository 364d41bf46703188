/** A new Ed25519 SSH key in OpenSSH's format (PROTOCOL.key), without a passphrase. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Secret } from '@skolo/secrets';
import { z } from 'zod';

const type = 'ssh-ed25519';
const Jwk = z.object({ x: z.base64url(), d: z.base64url() });

/**
 * @param comment at the end of the public key
 * @returns `public`: a line for authorized_keys
 */
export function newSshKey(comment: string): { private: Secret; public: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = Jwk.parse(privateKey.export({ format: 'jwk' }));
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const blob = Buffer.concat([field(type), field(point)]);
  // Equal numbers show a reader that it has decrypted the rest correctly.
  const check = randomBytes(4);
  const secret = [field(type), field(point), field(Buffer.concat([seed, point])), field(comment)];
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
    public: `${type} ${blob.toString('base64')} ${comment}`,
  };
}

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
