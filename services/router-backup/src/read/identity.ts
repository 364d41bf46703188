/**
 * Whether a device is the one that was read before, by serial number and host name in its configuration. A swapped address must
 * not write to the history of another device. The session checks the host key.
 */
import type { Identity } from '@skolo/models/backup';

export interface Known {
  /** In rack.yaml. */
  serial: string | undefined;
  /** Of the first reading. */
  pinned: Identity | undefined;
}

/** Why this is another device; undefined: it is the right one. */
export function whyAnother(device: string, seen: Identity, known: Known): string | undefined {
  const { serial: written, pinned } = known;
  const forget = `if it was swapped, run: skolo equipment forget ${device}`;
  if (written !== undefined && seen.serial !== undefined && seen.serial !== written) {
    return `its serial number is ${seen.serial}, rack.yaml says ${written}: another device answers at this address`;
  }
  if (pinned?.serial !== undefined && seen.serial !== undefined) {
    // With the same serial number it may have been renamed.
    return pinned.serial === seen.serial
      ? undefined
      : `its serial number is ${seen.serial}, not ${pinned.serial}: another device answers at this address; ${forget}`;
  }
  if (pinned?.hostname === undefined || seen.hostname === undefined) return undefined;
  if (pinned.hostname === seen.hostname) return undefined;
  return `its configuration calls it ${seen.hostname}, not ${pinned.hostname}: another device answers at this address, or it was renamed; ${forget.replace('swapped', 'swapped or renamed')}`;
}

/** The identity to pin; undefined: it has none. */
export function pin(seen: Identity, pinned: Identity | undefined): Identity | undefined {
  const serial = seen.serial ?? pinned?.serial;
  const hostname = seen.hostname ?? pinned?.hostname;
  return serial === undefined && hostname === undefined ? undefined : { serial, hostname };
}
