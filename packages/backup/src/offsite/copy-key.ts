/**
 * Authenticates off-site copies: the digest in a copy's name is keyed with the rack's backup key, which no destination knows. Whoever can only
 * write to a destination cannot make a copy that matches its name, or give a genuine one to other equipment or to another day.
 */
import { createHmac } from 'node:crypto';
import type { Secret } from '@skolo/base/secrets';
import { dayOf } from './name.ts';

interface CopyFacts {
  /** Absent for archives: each is encrypted with a random key, so the same content is never stored twice. */
  nonce?: string | undefined;
  device: string;
  /** RFC 3339, when it was read, or only the day. */
  time: string;
}

/** The key of a copy's digest. */
export function copyKey(backupKey: Secret, { nonce = '', device, time }: CopyFacts): Buffer {
  // Names and days contain no spaces.
  const facts = `${nonce} ${device} ${dayOf(Date.parse(time))}`;
  return createHmac('sha256', keyText(backupKey)).update(facts).digest();
}

/** Identifies the backup key without revealing it. */
export function backupKeyId(backupKey: Secret): string {
  return createHmac('sha256', keyText(backupKey)).update('id').digest('hex').slice(0, 16);
}

/** A file may end with a newline. */
function keyText(backupKey: Secret): string {
  return backupKey.reveal().trim();
}
