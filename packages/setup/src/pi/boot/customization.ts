/**
 * Decides which method configures an image at its first boot (cloud-init, a script, preseed). Imager 1.x wrote files that newer images
 * ignore, so the Pi booted without its settings. Therefore only a method that the image contains is used.
 */
import { PiError } from '../errors.ts';

export type Method =
  | 'cloud-init'
  | 'cloud-init-networkd'
  | 'rpi-preseed'
  | 'firstrun'
  | 'debian-firstrun';

export interface CustomizationFacts {
  /** Names in the root directory of the boot partition. */
  bootNames: readonly string[];
  /** Traces of an earlier customisation or boot. */
  traces: readonly string[];
  /** os-release of the root partition; undefined: skolo cannot read it. */
  os?: { id: string; codename: string };
  /** Programs of the root partition. */
  cloudInit: boolean;
  /** systemd-networkd applies netplan's configuration; otherwise NetworkManager does. */
  networkd: boolean;
  preseed: boolean;
  imagerCustom: boolean;
  /** Whether it contains everything that the first run requires in Debian's own images. */
  debianOwn: boolean;
}

/** With systemd.run on the boot partition at /boot/firmware. */
const firstRunSystems = ['bookworm', 'trixie'];

/** @param name of the image, for messages @throws PiError It does not have exactly one. */
export function methodOf(name: string, facts: CustomizationFacts): Method {
  const { bootNames, traces, os, cloudInit, networkd, preseed, imagerCustom, debianOwn } = facts;
  const reject = (why: string) => new PiError(`${name}: ${why}`);
  const names = bootNames.map((each) => each.toLowerCase());
  if (traces.length > 0) {
    throw reject(
      `the image was customised or booted before (it contains ${traces.join(', ')}); use the unmodified image`,
    );
  }
  if (os === undefined) {
    throw reject(
      'the image has no ext4 root partition with /usr/lib/os-release, so skolo cannot customise it; use Raspberry Pi OS, Ubuntu Server or Debian',
    );
  }
  const hasSeed = names.includes('user-data') && names.includes('meta-data');
  const methods: Method[] = [
    ...(cloudInit && hasSeed
      ? [networkd ? ('cloud-init-networkd' as const) : ('cloud-init' as const)]
      : []),
    ...(preseed ? (['rpi-preseed'] as const) : []),
  ];
  if (methods.length > 1) {
    throw reject(
      `the image contains ${methods.join(' and ')}, and skolo cannot determine which of them runs; use an image with only one of them`,
    );
  }
  const [method] = methods;
  if (method !== undefined) return method;
  const what = `${os.id} ${os.codename}`.trimEnd();
  if (cloudInit) {
    throw reject(
      `${what} contains cloud-init, but its boot partition does not contain both user-data and meta-data; use the image for Raspberry Pis`,
    );
  }
  const isKnown = firstRunSystems.includes(os.codename);
  const isDebianOwn = os.id === 'debian' && names.includes('sysconf.txt') && debianOwn;
  if (isKnown && imagerCustom !== isDebianOwn) return imagerCustom ? 'firstrun' : 'debian-firstrun';
  throw reject(
    `${what} does not contain cloud-init, rpi-preseed or the first-run script of Raspberry Pi OS or Debian (Bookworm or Trixie); use an image with one of these`,
  );
}
