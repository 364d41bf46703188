import { readFileSync } from 'node:fs';

/** The kernel's id of this boot, see random(4); undefined if it has none. */
export function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
