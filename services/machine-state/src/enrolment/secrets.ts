/** Secrets of shared images, and whether one is valid or expired. Only digests are stored. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256, sha256Bytes } from '@skolo/base';
import type { KeptSecret } from './records.ts';

interface NewSecret {
  kept: KeptSecret;
  /** Shown once. */
  secret: string;
}

const dayMs = 86_400_000;

export function newSecret(days: number, by: string, now: number): NewSecret {
  const id = randomBytes(4).toString('hex');
  const secret = `${id}.${randomBytes(32).toString('base64url')}`;
  const at = new Date(now).toISOString();
  const expires = new Date(now + days * dayMs).toISOString();
  return { secret, kept: { id, by, at, expires, sha256: sha256(secret) } };
}

/** `clock`: this computer's clock is earlier than the creation of the secret. */
export type SecretState = 'valid' | 'expired' | 'clock' | 'unknown';

export function checkSecret(
  secret: string | undefined,
  known: ReadonlyMap<string, KeptSecret>,
  now: number,
): SecretState {
  const kept = known.get(secret?.split('.', 1)[0] ?? '');
  if (secret === undefined || kept === undefined) return 'unknown';
  if (!timingSafeEqual(sha256Bytes(secret), Buffer.from(kept.sha256, 'hex'))) return 'unknown';
  if (Date.parse(kept.expires) <= now) return 'expired';
  return Date.parse(kept.at) - dayMs > now ? 'clock' : 'valid';
}
