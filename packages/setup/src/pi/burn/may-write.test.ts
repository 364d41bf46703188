/** Which disk may be written, from what lsblk says on several computers. Each wrong disk is rejected with its reason. */
import { describe, expect, it } from 'vitest';
import { parseDisk } from './disk-facts.ts';
import { isSame, whyNotWrite } from './may-write.ts';

interface Listed {
  [key: string]: unknown;
  children?: Listed[];
}

/** A card of 32 GB in a reader of USB, as lsblk 2.38 lists it. */
const card: Listed = {
  name: 'sdb',
  path: '/dev/sdb',
  'maj:min': '8:16',
  type: 'disk',
  size: 31_914_983_424,
  'log-sec': 512,
  ro: false,
  rm: true,
  vendor: 'Generic ',
  model: 'STORAGE DEVICE',
  serial: '000000001206',
  mountpoint: null,
  label: null,
  fstype: null,
  subsystems: 'block:scsi:usb:pci',
};
const part = (number: number, more: Listed = {}): Listed => ({
  ...card,
  name: `sdb${number}`,
  path: `/dev/sdb${number}`,
  'maj:min': `8:${16 + number}`,
  type: 'part',
  ...more,
});
const disk = { rm: false, model: 'Samsung SSD T7', vendor: 'Samsung', serial: 'S5TDNS0R9' };

const bytes = 3e9;

/** As `lsblk --list` prints them. */
function flat({ children = [], ...device }: Listed): Listed[] {
  return [device, ...children.flatMap(flat)];
}

async function why(
  listed: Listed,
  { confirmed = [], sys = {} }: { confirmed?: string[]; sys?: Record<string, string> } = {},
) {
  const listing = JSON.stringify({ blockdevices: flat(listed) });
  const facts = await parseDisk(listing, async (path) => sys[path.replace(/^.*\/\d+:\d+\//, '')]);
  if (facts === undefined) throw new Error('no disk');
  return whyNotWrite(facts, { bytes, confirmed });
}

describe('a disk that may be written', () => {
  it.each<[string, Listed, Record<string, string>]>([
    ['a card in a reader of USB', card, {}],
    [
      'one with a system on it that is not mounted',
      {
        ...card,
        children: [part(1, { fstype: 'vfat', label: 'bootfs' }), part(2, { fstype: 'ext4' })],
      },
      {},
    ],
    [
      'a card in a reader of the board',
      { ...card, name: 'mmcblk0', rm: false, subsystems: 'block:mmc:mmc_host:platform' },
      { 'device/type': 'SD' },
    ],
    ['one of an older lsblk', { ...card, size: '31914983424', ro: '0', rm: '1' }, {}],
  ])('is %s', async (_, listed, sys) => {
    expect(await why(listed, { sys })).toBeUndefined();
  });
});

describe('a disk that must never be written, also if its serial number is named', () => {
  it.each<[string, Listed, RegExp]>([
    [
      'the disk of this computer',
      {
        ...card,
        ...disk,
        children: [part(1, { mountpoint: '/boot/efi' }), part(2, { mountpoint: '/' })],
      },
      /is a system disk of this computer, mounted at \/boot\/efi, \//,
    ],
    [
      'a USB disk from which it has started',
      {
        ...card,
        children: [part(1, { mountpoint: '/boot/firmware' }), part(2, { mountpoint: '/' })],
      },
      /system disk of this computer/,
    ],
    [
      'a stick with a live system',
      { ...card, children: [part(1, { mountpoint: '/run/live/medium' })] },
      /system disk of this computer/,
    ],
    [
      'a disk with an encrypted system',
      {
        ...card,
        ...disk,
        children: [
          part(3, {
            fstype: 'crypto_LUKS',
            children: [
              {
                ...part(9),
                name: 'luks',
                type: 'crypt',
                children: [{ ...part(8), name: 'vg-root', type: 'lvm', mountpoint: '/' }],
              },
            ],
          }),
        ],
      },
      /system disk of this computer, mounted at \//,
    ],
    [
      'a disk with its swap',
      { ...card, children: [part(1, { mountpoint: '[SWAP]' })] },
      /system disk of this computer, mounted at \[SWAP\]/,
    ],
    [
      'a back-up disk that is mounted',
      { ...card, ...disk, children: [part(1, { mountpoint: '/media/ann/backup' })] },
      /is mounted at \/media\/ann\/backup; .*umount \/media\/ann\/backup/,
    ],
    [
      'a part of a RAID',
      {
        ...card,
        children: [
          part(1, {
            fstype: 'linux_raid_member',
            children: [{ ...part(7), name: 'md0', type: 'raid1' }],
          }),
        ],
      },
      /is in use by md0/,
    ],
    ['a partition', part(1), /is not a whole disk \(part\)/],
    ['a volume', { ...card, type: 'lvm' }, /is not a whole disk \(lvm\)/],
    [
      'one that is too small',
      { ...card, size: 2e9 },
      /too small: the card has 2.0 GB, but the image requires 3.0 GB/,
    ],
    [
      'one that is read-only',
      { ...card, ro: true },
      /is read-only; slide the card's write-protect switch/,
    ],
    ['a reader without a card', { ...card, size: 0 }, /does not contain a card/],
  ])('is %s', async (_, listed, reason) => {
    expect(await why(listed)).toMatch(reason);
    expect(await why(listed, { confirmed: ['000000001206', 'S5TDNS0R9'] })).toMatch(reason);
  });
});

describe('a disk that a person has to confirm by its serial number', () => {
  it.each<[string, Listed, RegExp, Record<string, string>]>([
    [
      'is not removable',
      { ...card, ...disk, size: 100e9 },
      /^is not removable; if it is the right disk, add --serial S5TDNS0R9$/,
      {},
    ],
    [
      'is very large',
      { ...card, ...disk, rm: true, size: 1e12 },
      /^has 1000.0 GB, which is unusually large for an SD card; if .* --serial/,
      {},
    ],
    [
      'is soldered',
      { ...card, ...disk, subsystems: 'block:mmc:mmc_host:pci' },
      /^is not removable/,
      { 'device/type': 'MMC' },
    ],
  ])('%s', async (_, listed, reason, sys) => {
    expect(await why(listed, { sys })).toMatch(reason);
    expect(await why(listed, { sys, confirmed: ['other'] })).toMatch(reason);
    expect(await why(listed, { sys, confirmed: ['S5TDNS0R9'] })).toBeUndefined();
  });

  it('has one', async () => {
    expect(await why({ ...card, rm: false, serial: null }, { confirmed: [''] })).toMatch(
      /is not removable; the disk does not have a serial number to confirm/,
    );
  });
});

describe('the same disk', () => {
  it.each<[string, Listed, string, boolean]>([
    ['as before', card, '7', true],
    ['with another card in it', card, '8', false],
    ['of another reader', { ...card, serial: '000000009999' }, '7', false],
    ['with another size', { ...card, size: 64e9 }, '7', false],
    ['at another place', { ...card, 'maj:min': '8:32' }, '7', false],
  ])('%s', async (_, listed, sequence, same) => {
    const facts = async (each: Listed, number: string) => {
      const found = await parseDisk(JSON.stringify({ blockdevices: [each] }), async (path) =>
        path.endsWith('diskseq') ? number : undefined,
      );
      if (found === undefined) throw new Error('no disk');
      return found;
    };
    expect(isSame(await facts(card, '7'), await facts(listed, sequence))).toBe(same);
  });
});
