/** Decides which disk or SD card may be overwritten, only from facts such as its size and mounts. */
import type { DiskFacts } from './disk-facts.ts';

export interface WriteNeeds {
  /** Of the image. */
  bytes: number;
  /** Serial numbers that the user has specified, of disks that do not look like SD cards. */
  confirmed: readonly string[];
}

/** SD cards of this size are rare, and disks with data start at this size. */
const mostBytes = 160e9;
/** Mount points of a running system, even one on a stick or card. */
const ofSystem =
  /^(\/|\/(boot|usr|var|home|etc|opt|srv|root|nix)(\/.*)?|\/(cdrom|isodevice)|\/(run|lib)\/(live|initramfs)\/.*|\[SWAP\])$/;

/** Undefined: it may be written. Otherwise why not, and what to do. */
export function whyNotWrite(disk: DiskFacts, { bytes, confirmed }: WriteNeeds): string | undefined {
  const { type, size, mounts, holders, serial, isReadOnly, isRemovable } = disk;
  if (type !== 'disk' && type !== 'loop') {
    return `is not a whole disk (${type}); specify the disk that contains it`;
  }
  const system = mounts.filter((each) => ofSystem.test(each));
  if (system.length > 0)
    return `is a system disk of this computer, mounted at ${system.join(', ')}`;
  if (mounts.length > 0) {
    return `is mounted at ${mounts.join(', ')}; if it is the SD card, run umount ${mounts.join(' ')}`;
  }
  if (holders.length > 0) return `is in use by ${holders.join(', ')}`;
  if (size === 0) return 'does not contain a card; insert one';
  if (isReadOnly) return "is read-only; slide the card's write-protect switch, or use another card";
  if (size < bytes) {
    return `is too small: the card has ${gb(size)}, but the image requires ${gb(bytes)}; use a larger card`;
  }
  if (serial !== undefined && confirmed.includes(serial)) return undefined;
  const unusual = [
    ...(size > mostBytes ? [`has ${gb(size)}, which is unusually large for an SD card`] : []),
    // A loop device is a file.
    ...(isRemovable || type === 'loop' ? [] : ['is not removable']),
  ];
  if (unusual.length === 0) return undefined;
  const how =
    serial === undefined
      ? 'the disk does not have a serial number to confirm; use another card reader'
      : `if it is the right disk, add --serial ${serial}`;
  return `${unusual.join(', and ')}; ${how}`;
}

/** Whether it is the same disk with the same medium. */
export function isSame(before: DiskFacts, now: DiskFacts): boolean {
  return (
    before.number === now.number &&
    before.size === now.size &&
    before.serial === now.serial &&
    before.sequence === now.sequence
  );
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
