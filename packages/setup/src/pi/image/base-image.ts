/** A base image: its boot partition, and facts about its Linux. */

import { type CustomizationFacts, type Method, methodOf } from '../boot/customization.ts';
import { raspiFirmwareHook } from '../boot/debian.ts';
import { enrolPrograms } from '../boot/enrol.ts';
import { ChangedDisk, type Disk } from '../disk/disk.ts';
import { type Partition, partitionsOf } from '../disk/partitions.ts';
import { PiError } from '../errors.ts';
import { type FatVolume, openFat } from '../fat/volume.ts';
import { type LinuxFiles, openExt4 } from './ext4.ts';
import { tracesIn } from './traces.ts';

export interface BaseImage {
  /** The base, with changes of this machine. */
  disk: ChangedDisk;
  boot: FatVolume;
  method: Method;
  /** `debian trixie`. */
  system: string;
  /** Architecture of its programs; undefined if it is a different one. */
  architecture: 'arm64' | 'armhf' | undefined;
  /** Enrolment programs that it does not contain. */
  lacks: readonly string[];
}

/** Opens it for the changes of one machine. @throws PiError skolo does not know how to customise it. */
export async function openBaseImage(base: Disk): Promise<BaseImage> {
  const disk = new ChangedDisk(base);
  let boot: FatVolume | undefined;
  let root: LinuxFiles | undefined;
  for (const partition of await partitionsOf(disk)) {
    boot ??= await bootPartition(disk, partition);
    root ??= await openExt4(disk, partition);
  }
  if (boot === undefined) {
    throw new PiError(
      `${base.name}: no boot partition with config.txt; use an image for Raspberry Pis`,
    );
  }
  const facts = await factsOf(boot, root);
  return {
    disk,
    boot,
    method: methodOf(base.name, facts),
    system: `${facts.os?.id ?? 'an unknown system'} ${facts.os?.codename ?? ''}`.trimEnd(),
    architecture: root && (await architectureOf(root)),
    lacks: await missingOf(root),
  };
}

/** An image may contain other FAT partitions. */
async function bootPartition(
  disk: ChangedDisk,
  partition: Partition,
): Promise<FatVolume | undefined> {
  const volume = await openFat(disk, partition);
  const names = (await volume?.list()) ?? [];
  return names.some((name) => name.toLowerCase() === 'config.txt') ? volume : undefined;
}

async function factsOf(boot: FatVolume, root: LinuxFiles | undefined): Promise<CustomizationFacts> {
  const release = (await root?.read('usr/lib/os-release', 64 * 1024))?.toString() ?? '';
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1];
  const [id, codename] = [field('ID'), field('VERSION_CODENAME')];
  const has = async (path: string) => (await root?.exists(path)) ?? false;
  return {
    bootNames: await boot.list(),
    traces: await tracesIn(boot, root),
    ...(id !== undefined && { os: { id, codename: codename ?? '' } }),
    cloudInit: await has('usr/bin/cloud-init'),
    // Raspberry Pi OS and Ubuntu Desktop contain NetworkManager, and configure netplan to use it.
    networkd: !(await has('usr/sbin/NetworkManager')),
    preseed: await has('usr/bin/rpi-preseed'),
    imagerCustom: await has('usr/lib/raspberrypi-sys-mods/imager_custom'),
    debianOwn:
      (await has(raspiFirmwareHook.slice(1))) && (await has('etc/network/interfaces.d/eth0')),
  };
}

async function missingOf(root: LinuxFiles | undefined): Promise<string[]> {
  const missing: string[] = [];
  for (const name of enrolPrograms) {
    if (!(await root?.exists(`usr/bin/${name}`))) missing.push(name);
  }
  return missing;
}

const machines = new Map<number, BaseImage['architecture']>([
  [0xb7, 'arm64'],
  [0x28, 'armhf'],
]);

/** From a program's header. Source: elf(5), e_machine. */
async function architectureOf(root: LinuxFiles): Promise<BaseImage['architecture']> {
  const head = await root.read('usr/bin/dpkg', 20);
  if (head === undefined || head.length < 20 || head.readUInt32BE(0) !== 0x7f454c46)
    return undefined;
  return machines.get(head.readUInt16LE(18));
}
