/** Validates secret values with the same rules as services, such as their size. */
import { Secret } from '@skolo/base/secrets';
import { ValueRejected } from '../errors.ts';

/** As services read a secret file. */
const mostBytes = 64 * 1024;

/**
 * An external value, byte for byte.
 *
 * @param where for people: `standard input`, a file
 * @throws StoreError It is empty, not text, or too large. The message does not quote it.
 */
export function secretFrom(bytes: Uint8Array, where: string): Secret {
  if (bytes.length > mostBytes) {
    throw new ValueRejected(`${where}: larger than 64 KiB; check that it is the right value`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ValueRejected(`${where}: not UTF-8 text, which services require`);
  }
  if (text.trim() === '') {
    throw new ValueRejected(`${where}: empty, but services reject an empty secret`);
  }
  return new Secret(text);
}
