/**
 * What Linux says of a disk, by lsblk and sysfs.
 * Sources: lsblk(8); Documentation/ABI of Linux, sysfs-block; `diskseq` is another number for each disk and each medium since the start.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PiError } from '../errors.ts';

const run = promisify(execFile);

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
  /** A card, or a stick: it is made to be pulled out. */
  isRemovable: boolean;
  /** Bytes that are read and written at once. */
  block: number;
  /** `Generic STORAGE DEVICE` */
  model: string;
  serial?: string;
  /** Undefined: the kernel is older than 5.15. */
  sequence?: string;
  /** Where it, a partition of it, or what is made of them is mounted; `[SWAP]`. */
  mounts: string[];
  /** Names of what is made of it: volumes of LVM and RAID, decrypted disks. */
  holders: string[];
  /** What is on it, for people: `vfat BOOT`. */
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

/** The disk, and then what is on it: partitions, and what is made of these. */
const Listing = z.object({ blockdevices: z.array(Device) });

const columns =
  'NAME,PATH,MAJ:MIN,TYPE,SIZE,LOG-SEC,RO,RM,VENDOR,MODEL,SERIAL,MOUNTPOINT,LABEL,FSTYPE,SUBSYSTEMS';

/** Reads a file of sysfs; undefined where there is none. */
type ReadSys = (path: string) => Promise<string | undefined>;

/** Undefined: there is no such disk now. @throws PiError lsblk cannot be run. */
export async function diskFacts(path: string, signal: AbortSignal): Promise<DiskFacts | undefined> {
  const args = ['--json', '--bytes', '--list', '--output', columns, path];
  try {
    const { stdout } = await run('lsblk', args, { signal, timeout: 10_000 });
    return await parseDisk(stdout, readSys);
  } catch (error) {
    signal.throwIfAborted();
    // It has no such disk.
    if (error instanceof Error && 'code' in error && error.code === 32) return undefined;
    throw new PiError(
      `${path}: lsblk does not identify it, but skolo pi burn requires Linux with lsblk; on other systems, build images with skolo pi image and write them with another program`,
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
  // A card in a reader of the board itself; `MMC` is soldered.
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
