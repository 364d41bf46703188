/**
 * Authenticates off-site copies: the digest in a copy's name is keyed with the rack's backup key, which no destination knows. Whoever can only
 * write to a destination cannot make a copy that matches its name, or give a genuine one to other equipment or to another day.
 */
import { createHmac } from 'node:crypto';
import { sha256 } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { dayOf } from './name.ts';

/** The nonce of archives: each is encrypted with a random key, so the same content is never stored twice. */
export const noNonce = '';

interface CopyFacts {
  nonce: string;
  device: string;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
}

/** The key of a copy's digest. */
export function copyKey(backupKey: Secret, { nonce, device, day }: CopyFacts): Buffer {
  // Names and days contain no spaces.
  return createHmac('sha256', keyText(backupKey)).update(`${nonce} ${device} ${day}`).digest();
}

/** The same for a version that was read at this time, in RFC 3339. */
export function copyKeyAt(
  backupKey: Secret,
  { time, ...facts }: Omit<CopyFacts, 'day'> & { time: string },
): Buffer {
  return copyKey(backupKey, { ...facts, day: dayOf(Date.parse(time)) });
}

/** Identifies the backup key without revealing it. */
export function backupKeyId(backupKey: Secret): string {
  const id = createHmac('sha256', keyText(backupKey)).update('id').digest('hex');
  return sha256(id).slice(0, 16);
}

/** A file may end with a newline. */
function keyText(backupKey: Secret): string {
  return backupKey.reveal().trim();
}
