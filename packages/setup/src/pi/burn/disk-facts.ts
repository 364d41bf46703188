/**
 * Facts about a disk from lsblk and sysfs.
 * Sources: lsblk(8); Documentation/ABI of Linux, sysfs-block; `diskseq` is unique for each disk and medium since boot.
 */
import { readFile } from 'node:fs/promises';
import { run } from '@skolo/base/run';
import { z } from 'zod';
import { PiError } from '../errors.ts';

export interface DiskFacts {
  /** `/dev/sda` */
  path: string;
  /** Major and minor: `8:0`. */
  number: string;
  /** Of lsblk: `disk`, `loop`, `part`, `crypt`, `lvm`, `raid1`. */
  type: string;
  /** Bytes; 0: a reader without a card. */
  size: number;
  isReadOnly: boolean;
  /** Removable, such as a card or stick. */
  isRemovable: boolean;
  /** Block size in bytes. */
  block: number;
  /** `Generic STORAGE DEVICE` */
  model: string;
  serial?: string;
  /** Undefined: the kernel is older than 5.15. */
  sequence?: string;
  /** Mount points of the disk, its partitions and volumes on them; `[SWAP]`. */
  mounts: string[];
  /** Names of LVM and RAID volumes and decrypted disks on it. */
  holders: string[];
  /** Its content as text: `vfat BOOT`. */
  contents: string[];
}

const flag = z.union([z.boolean(), z.enum(['0', '1']).transform((text) => text === '1')]);
const text = z.string().nullish();

const Device = z.object({
  name: z.string(),
  path: z.string(),
  'maj:min': z.string().transform((each) => each.trim()),
  type: z.string(),
  size: z.coerce.number(),
  'log-sec': z.coerce.number(),
  ro: flag,
  rm: flag,
  vendor: text,
  model: text,
  serial: text,
  mountpoint: text,
  label: text,
  fstype: text,
  subsystems: text,
});

/** The disk, followed by its partitions and the volumes on them. */
const Listing = z.object({ blockdevices: z.array(Device) });

const columns =
  'NAME,PATH,MAJ:MIN,TYPE,SIZE,LOG-SEC,RO,RM,VENDOR,MODEL,SERIAL,MOUNTPOINT,LABEL,FSTYPE,SUBSYSTEMS';

/** Reads a sysfs file; undefined if it does not exist. */
type ReadSys = (path: string) => Promise<string | undefined>;

/** Undefined: the disk does not exist. @throws PiError lsblk cannot be run. */
export async function diskFacts(path: string, signal: AbortSignal): Promise<DiskFacts | undefined> {
  const args = ['--json', '--bytes', '--list', '--output', columns, path];
  try {
    const { stdout } = await run('lsblk', args, { signal, timeout: 10_000 });
    return await parseDisk(stdout, readSys);
  } catch (error) {
    signal.throwIfAborted();
    // The disk does not exist.
    if (error instanceof Error && 'code' in error && error.code === 32) return undefined;
    throw new PiError(
      `${path}: lsblk could not read this disk. skolo pi burn requires Linux with lsblk; on other systems, build images with skolo pi image and write them with another program`,
      { cause: error },
    );
  }
}

/** @param listing of lsblk for one disk */
export async function parseDisk(listing: string, read: ReadSys): Promise<DiskFacts | undefined> {
  const all = Listing.parse(JSON.parse(listing)).blockdevices;
  const [disk] = all;
  if (disk === undefined) return undefined;
  const number = disk['maj:min'];
  const inSys = (name: string) => read(`/sys/dev/block/${number}/${name}`);
  const sequence = await inSys('diskseq');
  const serial = disk.serial?.trim() || undefined;
  // A card in the board's own reader; `MMC` is soldered.
  const isCard = disk.subsystems?.includes('mmc') === true && (await inSys('device/type')) === 'SD';
  return {
    path: disk.path,
    number,
    type: disk.type,
    size: disk.size,
    block: disk['log-sec'],
    isReadOnly: disk.ro,
    isRemovable: disk.rm || isCard,
    model: [disk.vendor, disk.model].flatMap((each) => each?.trim() || []).join(' '),
    ...(serial !== undefined && { serial }),
    ...(sequence !== undefined && { sequence }),
    mounts: all.flatMap(({ mountpoint }) => mountpoint ?? []),
    holders: all.flatMap(({ type, name }) => (type === 'part' || name === disk.name ? [] : name)),
    contents: all.flatMap(({ fstype, label }) =>
      fstype ? [[fstype, label].filter(Boolean).join(' ')] : [],
    ),
  };
}

async function readSys(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').then(
    (content) => content.trim(),
    () => undefined,
  );
}
