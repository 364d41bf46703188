/** `skolo pi`, as a technician uses it. */
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { makeTestImage, readByMtools, systems } from '@skolo/setup/pi/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteDisplay } from './commands/pi/byte-progress.ts';
import { runCommand } from './testing/run-command.ts';
import { testIo } from './testing/test-io.ts';

/** Loop devices require root on Linux. */
const noLoops = await run('losetup', ['--find']).then(
  () => undefined,
  () => 'loop devices are for root on Linux',
);

describe.skipIf(lacks('mtools', 'ssh'))('skolo pi', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const pi = (...words: string[]) => runCommand(['--rack', path('rack.yaml'), 'pi', ...words]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-pi-'));
    await makeTestImage(path('trixie.img'), systems.trixie);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path('id')]);
    await writeFile(
      path('rack.yaml'),
      `rack: rack4
timezone: Europe/Berlin
network: { subnet: 192.168.1.0/24, domain: lan }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
equipment: { router: { model: edgeos, address: 192.168.1.1, uplink: internet, backup: false } }
machines: { "rpi-[001-003]": { kind: rpi, address: "192.168.1.[101-103]", mac: ["dc:a6:32:00:00:01", "dc:a6:32:00:00:02", "dc:a6:32:00:00:03"] } }
`,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const common = () => ['--base', path('trixie.img'), '--key', path('id.pub')];

  it('image makes one of each machine, with what rack.yaml has of it', async () => {
    const printed = await pi('image', 'rpi-[001-002]', ...common(), '--out', path('cards'));

    expect(printed.err).toBe('');
    expect(printed.out.replaceAll(folder, '')).toBe(
      '/cards/rpi-001.img: 0.1 GB, 192.168.1.101 (cloud-init, debian trixie)\n/cards/rpi-002.img: 0.1 GB, 192.168.1.102 (cloud-init, debian trixie)\n',
    );
    const card = path('cards/rpi-002.img');
    const network = await readByMtools(card, 'network-config');
    expect(network).toContain('- 192.168.1.102/24');
    expect(network).toContain('macaddress: dc:a6:32:00:00:02');
    const userData = await readByMtools(card, 'user-data');
    expect(userData).toContain((await readFile(path('id.pub'), 'utf8')).trim());
    expect(userData).toContain('timezone: Europe/Berlin');
    const script = await readByMtools(card, 'skolo-setup.sh');
    expect(script).toContain('192.168.1.101\trpi-001.lan rpi-001');
    expect(script).toContain('NTP=192.168.1.8');
  });

  it('image writes only boot files, of machines that no rack.yaml has', async () => {
    const where = ['--address', '10.1.1.[2-3]/24', '--gateway', '10.1.1.1', '--boot-files'];
    const printed = await pi('image', 'red[1-2]', ...common(), ...where, '--out', path('boot'));

    expect(printed.out).toContain('red2: boot partition files, 10.1.1.3 (cloud-init');
    expect(await readFile(path('boot/red2/network-config'), 'utf8')).toContain('- 10.1.1.3/24');
    expect(await readFile(path('boot/red2/cmdline.txt'), 'utf8')).toContain('cgroup_enable=memory');
  });

  it.each([
    ['the gateway of rack.yaml', 'gateway: 10.1.1.254', undefined],
    ['a warning without a router', '', 'a[1-2]: the gateway is unknown'],
  ])('image of the inventory of a small rack has %s', async (_, gateway, warning) => {
    const rack = path('desk.yaml');
    await writeFile(
      rack,
      `rack: desk\nnetwork: { subnet: 10.1.1.0/24, ${gateway} }\njumphost: { name: a1, address: 10.1.1.2 }\nmachines: { a2: { kind: rpi, address: 10.1.1.3 } }\n`,
    );
    const words = ['image', 'a[1-2]', ...common(), '--boot-files', '--out', path('desk')];
    const { err } = await runCommand(['--rack', rack, 'pi', ...words]);

    if (warning !== undefined) return expect(err).toContain(warning);
    expect(err).toBe('');
    for (const name of ['a1', 'a2']) {
      expect(await readFile(path(`desk/${name}/network-config`), 'utf8')).toMatch(
        /via: "?10\.1\.1\.254"?[\s\S]*addresses:\s*(\[|- )\s*10\.1\.1\.254/,
      );
    }
  });

  it.each([
    [
      'an unknown machine',
      ['rpi-004'],
      /rpi-004: not in rack.yaml; add it there, .*; did you mean "rpi-00\d"\?\n$/,
    ],
    ['too few addresses', ['a[1-3]', '--address', '10.0.0.[1-2]/24'], /2 addresses for 3 machines/],
    [
      'Wi-Fi without a country',
      ['rpi-001', '--wifi', 'lab'],
      /also specify --wifi-password-file and --wifi-country/,
    ],
  ])('image rejects %s before it writes anything', async (_, words, why) => {
    const printed = await pi('image', ...words, ...common(), '--out', path('none'));

    expect(printed.err).toMatch(why);
    expect(printed.exitCode).not.toBe(0);
    await expect(readFile(path('none'))).rejects.toThrow('ENOENT');
  });

  it('image takes a password of Wi-Fi from a file, and leaves only its key on the card', async () => {
    await writeFile(path('wifi'), 'correct horse\n', { mode: 0o600 });
    const wifi = ['--wifi', 'lab', '--wifi-password-file', path('wifi'), '--wifi-country', 'DE'];
    await pi('image', 'rpi-003', ...common(), ...wifi, '--out', path('cards'));

    const card = path('cards/rpi-003.img');
    expect(await readByMtools(card, 'network-config')).toMatch(/lab:\n +password: [0-9a-f]{64}\n/);
    expect(await readByMtools(card, 'cmdline.txt')).toContain('cfg80211.ieee80211_regdom=DE');
    expect((await readFile(card)).includes('correct horse')).toBe(false);
  });

  it('burn writes cards, two at once, and reads them back', async () => {
    const cards = ['a', 'b'].flatMap((name) => ['--device', path(`card-${name}`)]);
    const printed = await pi('burn', 'rpi-[001-002]', ...common(), ...cards);

    expect(printed.out.replaceAll(folder, '')).toBe(
      'rpi-001: written to the SD card in /card-a and verified\nrpi-002: written to the SD card in /card-b and verified\n',
    );
    expect(printed.err).toMatch(/card-b: rpi-002 reads back: 55 of 55 MB, 100%, [\d.]+ MB\/s\n/);
    expect(await readByMtools(path('card-b'), 'meta-data')).toContain('local-hostname: rpi-002');
  });

  it('burn shows how long it takes, with the reading that comes after the writing', () => {
    const lines: string[] = [];
    let now = 0;
    const display = byteDisplay(testIo({ now: () => now, err: (line) => lines.push(line) }));
    for (const [at, done, then] of [
      [0, 0, 2e9],
      [20_000, 4e8, 2e9],
      [100_000, 2e9, 0],
    ] as const) {
      now = at;
      display.progress('/dev/sdb', 'rpi-001', done, 2e9, then);
    }

    expect(lines).toEqual([
      'rpi-001: 0 of 2000 MB, 0%, 0.0 MB/s',
      'rpi-001: 400 of 2000 MB, 20%, 20.0 MB/s, 3 min left',
      'rpi-001: 2000 of 2000 MB, 100%, 20.0 MB/s',
    ]);
  });

  it('burn says which machines have no card', async () => {
    const printed = await pi('burn', 'rpi-[001-003]', ...common(), '--device', path('card'));

    expect(printed.err).toContain(
      'rpi-002: not written, because no other card reader was available\n',
    );
    expect(printed.exitCode).toBe(3);
  });

  it('neither image nor burn writes over the base', async () => {
    const before = await readFile(path('trixie.img'));
    const words = ['trixie', '--dhcp', ...common()];

    const image = await pi('image', ...words, '--out', folder);
    const burn = await pi('burn', ...words, '--device', path('trixie.img'));

    expect(image.err).toMatch(
      /trixie.img: this would overwrite the base image; specify another directory with --out/,
    );
    expect(burn.err).toMatch(/trixie.img: the file is not empty; delete it/);
    expect((await readFile(path('trixie.img'))).equals(before)).toBe(true);
  });

  it.skipIf(noLoops)('burn names a disk once, whatever its names are', async () => {
    await run('truncate', ['-s', '64M', path('loop')]);
    const { stdout } = await run('losetup', ['--find', '--show', path('loop')]);
    const disk = stdout.trim();
    try {
      await symlink(disk, path('reader'));
      const devices = ['--device', disk, '--device', path('reader')];

      const printed = await pi('burn', 'rpi-[001-002]', ...common(), ...devices);

      expect(printed.err).toMatch(
        /^skolo: --device: the same disk is listed twice; specify it once; see /,
      );
      expect(printed.exitCode).toBe(2);
    } finally {
      await run('losetup', ['--detach', disk]);
    }
  });

  it('burn makes no file in place of a disk', async () => {
    const printed = await pi('burn', 'rpi-001', ...common(), '--device', '/dev/sd-none');

    expect(printed.err).toBe(
      'skolo: /dev/sd-none: no such disk; check that the card reader is connected, and run lsblk to list all disks\n',
    );
  });
});
