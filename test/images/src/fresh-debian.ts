/** Debian packages of the bundles, and a fresh Debian without Node to install them on. */

import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { Computer, lacks, peer } from '@skolo/simulators';
import { inject } from 'vitest';
import { writeDebianPackage } from '../../../scripts/release/debian-package.mjs';
import { bundle } from './bundles.ts';
import { root } from './paths.ts';

export const services = [
  'metadata-server',
  'router-backup',
  'power-cycle-daemon',
  'alert-to-pubsub',
  'machine-state',
];

export const hasDpkg = existsSync('/usr/bin/dpkg-deb');
export const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Without compression. */
export async function buildPackage(
  file: string,
  version: string,
  bundles = inject('bundles').dir,
): Promise<Buffer> {
  writeDebianPackage({
    bundles,
    node: process.execPath,
    // Any text: an installed Node may have none beside it.
    nodeLicence: join(root, 'LICENSE'),
    arch,
    version,
    time: 1_790_000_000,
    file,
    compression: 'none',
  });
  return await readFile(file);
}

/** Writes a package to the folder, whose programs print this version. */
export async function writePackage(
  folder: string,
  version: string,
  change?: (bundles: string) => Promise<void>,
): Promise<void> {
  const bundles = join(folder, `${version}.bundles`);
  await bundle(bundles, ['--version', version]);
  await change?.(bundles);
  await buildPackage(join(folder, `skolo_${version}_${arch}.deb`), version, bundles);
  await rm(bundles, { recursive: true });
}

/** Debian 12 and 13. */
type Debian = 'debian' | 'debian-13';

/** Why there is none here. Debian 13 is only installed for the long run. */
export function whyNoFreshDebian(debian: Debian = 'debian'): string | undefined {
  return (debian === 'debian' ? undefined : onlyLong) ?? lacks('root', 'systemd-nspawn', debian);
}

/**
 * It is off, and has this folder in /opt/packages.
 *
 * @param network our address, at the other end of its cable
 */
export async function freshDebian(
  network: string,
  packages: string,
  debian: Debian = 'debian',
): Promise<Computer> {
  const root = resolve(peer(debian) ?? '', '../../..');
  return await Computer.bare(peer('systemd-nspawn') ?? '', root, {
    network,
    folders: { '/opt/packages': packages },
  });
}
