/**
 * Is it the device that it was? A swapped address must not write into the history of another device. Its host key is
 * checked by the session; here are the serial number and the host name that its configuration gives.
 */
import type { Identity } from '@skolo/models/backup';

export interface Known {
  /** As rack.yaml says. */
  serial?: string;
  /** As was seen at first. */
  pinned?: Identity;
}

/** Why this is another device, for people. Undefined: it is not. */
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

/** What is pinned from now on. */
export function pin(seen: Identity, pinned: Identity | undefined): Identity {
  const serial = seen.serial ?? pinned?.serial;
  const hostname = seen.hostname ?? pinned?.hostname;
  return { ...(serial !== undefined && { serial }), ...(hostname !== undefined && { hostname }) };
}
