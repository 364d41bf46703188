import { describe, expect, it } from 'vitest';
import { type CustomizationFacts, methodOf } from './customization.ts';

const none = {
  bootNames: ['config.txt'],
  traces: [],
  cloudInit: false,
  networkd: false,
  preseed: false,
  imagerCustom: false,
  debianOwn: false,
};
const trixie = { id: 'debian', codename: 'trixie' };
const seed = ['config.txt', 'user-data', 'meta-data'];

describe('the method of customisation', () => {
  it.each<[string, Partial<CustomizationFacts>, string]>([
    ['Trixie', { os: trixie, cloudInit: true, imagerCustom: true, bootNames: seed }, 'cloud-init'],
    [
      'Ubuntu',
      {
        os: { id: 'ubuntu', codename: 'noble' },
        cloudInit: true,
        networkd: true,
        bootNames: ['User-Data', 'META-DATA'],
      },
      'cloud-init-networkd',
    ],
    ['the newest', { os: trixie, preseed: true, imagerCustom: true }, 'rpi-preseed'],
    ['Bookworm', { os: { id: 'debian', codename: 'bookworm' }, imagerCustom: true }, 'firstrun'],
    [
      "Debian's own",
      { os: trixie, debianOwn: true, bootNames: ['config.txt', 'SYSCONF.TXT'] },
      'debian-firstrun',
    ],
    ['the first Trixie', { os: trixie, imagerCustom: true }, 'firstrun'],
  ])('of %s is seen', (_, facts, method) => {
    expect(methodOf('x.img', { ...none, ...facts })).toBe(method);
  });

  it.each<[string, Partial<CustomizationFacts>, string]>([
    [
      'two at once',
      { os: trixie, cloudInit: true, preseed: true, bootNames: seed },
      'contains cloud-init and rpi-preseed, and skolo cannot determine',
    ],
    [
      'Bullseye',
      { os: { id: 'raspbian', codename: 'bullseye' }, imagerCustom: true },
      'raspbian bullseye does not contain cloud-init',
    ],
    [
      'a cloud image',
      { os: trixie, cloudInit: true },
      'does not contain both user-data and meta-data',
    ],
    ['a seed without cloud-init', { os: trixie, bootNames: seed }, 'does not contain'],
    [
      "Debian's own without ifupdown",
      { os: trixie, bootNames: ['sysconf.txt'] },
      'does not contain',
    ],
    [
      "Debian's own of another release",
      { os: { id: 'debian', codename: 'forky' }, debianOwn: true, bootNames: ['sysconf.txt'] },
      'debian forky does not contain',
    ],
    [
      'Raspberry Pi OS and Debian in one',
      { os: trixie, imagerCustom: true, debianOwn: true, bootNames: ['sysconf.txt'] },
      'does not contain',
    ],
    ['a root that is not ext4', { bootNames: seed }, 'skolo cannot customise it'],
    [
      'one that was customised',
      { os: trixie, imagerCustom: true, traces: ['userconf.txt', '/etc/rancher'] },
      'the image was customised or booted before (it contains userconf.txt, /etc/rancher); use the unmodified image',
    ],
  ])('of %s is not guessed', (_, facts, why) => {
    expect(() => methodOf('x.img', { ...none, ...facts })).toThrow(why);
  });
});
