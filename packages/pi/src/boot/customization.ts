/**
 * Which method of customisation an image has. Imager 1.x wrote files that a newer image ignores, and the Pi started as a stranger:
 * the method is what the image itself has, or there is none.
 */
import { PiError } from '../errors.ts';

export type Method = 'cloud-init' | 'rpi-preseed' | 'firstrun' | 'debian-firstrun';

export interface CustomizationFacts {
  /** Names in the first folder of the boot partition. */
  bootNames: readonly string[];
  /** Of an earlier customisation or start. */
  traces: readonly string[];
  /** Of the root partition; undefined: there is none that skolo reads. */
  os?: { id: string; codename: string };
  /** Programs of the root partition. */
  cloudInit: boolean;
  preseed: boolean;
  imagerCustom: boolean;
  /** Everything of Debian's own images that its first run needs. */
  debianOwn: boolean;
}

/** With systemd.run on the boot partition at /boot/firmware. */
const firstRunSystems = ['bookworm', 'trixie'];

/** @param name of the image, for messages @throws PiError It has none, or several. */
export function methodOf(name: string, facts: CustomizationFacts): Method {
  const { bootNames, traces, os, cloudInit, preseed, imagerCustom, debianOwn } = facts;
  const reject = (why: string) => new PiError(`${name}: ${why}`);
  const names = bootNames.map((each) => each.toLowerCase());
  if (traces.length > 0) {
    throw reject(
      `was customised or booted before, because it contains ${traces.join(', ')}; use the unmodified image`,
    );
  }
  if (os === undefined) {
    throw reject(
      'has no ext4 root partition with /usr/lib/os-release, so skolo cannot customise it; use Raspberry Pi OS, Ubuntu Server or Debian',
    );
  }
  const hasSeed = names.includes('user-data') && names.includes('meta-data');
  const methods: Method[] = [
    ...(cloudInit && hasSeed ? (['cloud-init'] as const) : []),
    ...(preseed ? (['rpi-preseed'] as const) : []),
  ];
  if (methods.length > 1) {
    throw reject(
      `contains ${methods.join(' and ')}, and skolo cannot determine which of them runs`,
    );
  }
  const [method] = methods;
  if (method !== undefined) return method;
  const what = `${os.id} ${os.codename}`.trimEnd();
  if (cloudInit) {
    throw reject(
      `${what} contains cloud-init, but its boot partition does not contain user-data and meta-data; use the image for Raspberry Pis`,
    );
  }
  const isKnown = firstRunSystems.includes(os.codename);
  const isDebianOwn = os.id === 'debian' && names.includes('sysconf.txt') && debianOwn;
  if (isKnown && imagerCustom !== isDebianOwn) return imagerCustom ? 'firstrun' : 'debian-firstrun';
  throw reject(
    `${what} does not contain cloud-init, rpi-preseed or the first-run script of Raspberry Pi OS or Debian (Bookworm or newer); use an image with one of these`,
  );
}
