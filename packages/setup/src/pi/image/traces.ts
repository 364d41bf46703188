/**
 * Decides whether an image was used before: finds traces of a customisation or first boot, which published images do not contain.
 * Everything that is not overwritten stays on the new SD card, including the previous machine's token and keys. Sources: export-image of
 * pi-gen (Raspberry Pi OS), image-specs of raspi.debian.net, machine-id(5), and cloud-init's documentation.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { firstRunFile } from '../boot/firstrun.ts';
import { preseedFile } from '../boot/preseed.ts';
import {
  errorFile,
  programFile,
  secretFile,
  setupFile,
  stateFolder,
  tokenFile,
} from '../boot/setup-script.ts';
import type { FatVolume } from '../fat/volume.ts';
import type { LinuxFiles } from './ext4.ts';

/** On the boot partition: ours, those of Raspberry Pi Imager, and manually written ones. */
const bootNames = [
  ...[setupFile, programFile, tokenFile, secretFile, errorFile, firstRunFile, preseedFile],
  ...['custom.toml', 'userconf.txt', 'userconf', 'wpa_supplicant.conf', 'ssh', 'ssh.txt'],
];
/** user-data keys that name a machine or grant access. Published images contain only `ssh_pwauth` and `chpasswd`. */
const ownKeys =
  /^(hostname|fqdn|users?|password|ssh_(keys|authorized_keys|import_id)|rpi_userconf|runcmd|bootcmd|write_files|wifi)$/;
/** On the root partition: a directory, and the names in it that a running system creates. */
const rootNames: readonly (readonly [folder: string, names: RegExp])[] = [
  ['etc', /^(rancher|kubernetes)$/],
  ['etc/ssh', /^ssh_host_.*_key$/],
  ['etc/NetworkManager/system-connections', /\w/],
  ['etc/netplan', /^(50-cloud-init|60-skolo|90-NM-.*)\.yaml$/],
  ['var/lib', new RegExp(`^(rancher|${stateFolder.split('/').at(-1)})$`)],
  ['var/lib/cloud', /^instance$/],
  ['var/lib/cloud/instances', /\w/],
];

/** Paths in the image; empty: it was not customised or booted. */
export async function tracesIn(boot: FatVolume, root: LinuxFiles | undefined): Promise<string[]> {
  const names = (await boot.list()).map((name) => name.toLowerCase());
  const text = async (path: string) => (await boot.read(path))?.toString() ?? '';
  const traces = names.filter((name) => bootNames.includes(name));
  if (hasOwnKeys(await text('user-data'))) traces.push('user-data with machine settings');
  if (/^[^#]*\b(access-points|addresses)["']?:/m.test(await text('network-config'))) {
    traces.push('network-config with machine settings');
  }
  if (/^[^#\s]/m.test(await text('sysconf.txt'))) traces.push('sysconf.txt with machine settings');
  if (root === undefined) return traces;
  for (const [folder, wanted] of rootNames) {
    const found = (await root.list(folder)).filter((name) => wanted.test(name));
    traces.push(...found.map((name) => `/${folder}/${name}`));
  }
  const id = (await root.read('etc/machine-id', 32))?.toString() ?? '';
  return /^[0-9a-f]{32}$/.test(id) ? [...traces, 'a machine ID in /etc/machine-id'] : traces;
}

/** A script or archive instead of a cloud-config is also somebody's own. */
function hasOwnKeys(userData: string): boolean {
  if (userData.trim() === '') return false;
  if (!userData.startsWith('#cloud-config')) return true;
  const keys = z.record(z.string(), z.unknown()).nullable().safeParse(parsed(userData));
  return !keys.success || Object.keys(keys.data ?? {}).some((key) => ownKeys.test(key));
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
