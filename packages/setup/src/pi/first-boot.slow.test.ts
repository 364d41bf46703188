/**
 * The first start, in a Debian that systemd boots in namespaces: all stages of cloud-init, from the files that a card has on its boot
 * partition, and the script of the first run. Firmware, kernel and disk of a Raspberry Pi are not in this test.
 */

import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { run } from '@skolo/base/testing';
import { Computer, lacks, peer } from '@skolo/simulators';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { diskOf } from './disk/disk.ts';
import { openBaseImage } from './image/base-image.ts';
import { bootFiles } from './image/machine-image.ts';
import type { PiSetup } from './setup.ts';
import { makeTestImage, systems } from './testing/test-image.ts';
import { testCluster, testSetup, testToken } from './testing/test-setup.ts';

const ours = '10.77.0.1';
/** It only has to run. */
const program = Buffer.from('#!/bin/sh\necho "agent: $*"\nexec sleep 600\n');
const setup: PiSetup = {
  ...testSetup,
  wifi: { ssid: 'lab "1"', password: new Secret("it's long"), country: 'DE' },
  cluster: {
    ...testCluster,
    server: ours,
    programSha256: createHash('sha256').update(program).digest('hex'),
  },
};

const why = lacks('root', 'systemd-nspawn', 'cloud-init-root', 'debian', 'mtools', 'ip');
describe.skipIf(why)('the first start', () => {
  let folder: string;
  let server: Server;
  let computer: Computer | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-first-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=k3s', '-days', '2', '-keyout', key, '-out', cert],
    ]);
    const [keyText, certText] = [await readFile(key), await readFile(cert)];
    server = createServer({ key: keyText, cert: certText }, (_, response) => {
      response.writeHead(401).end();
    });
    await new Promise<void>((done) => server.listen(6443, '0.0.0.0', done));
  });
  afterEach(async () => {
    await computer?.scrap();
    computer = undefined;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** With the boot partition of a card where the system mounts it. */
  async function newComputer(system: keyof typeof systems): Promise<Computer> {
    const base = join(folder, `${system}.img`);
    await makeTestImage(base, systems[system]);
    const file = await open(base);
    const image = await openBaseImage(await diskOf(base, file));
    const files = await bootFiles(image, { setup, program, now: new Date() });
    await file.close();
    const debian = system === 'debian' ? 'debian' : 'cloud-init-root';
    const root = resolve(dirname(peer(debian) ?? ''), '../..');
    const made = await Computer.bare(peer('systemd-nspawn') ?? '', root, {
      folders: {},
      network: `${ours}/24`,
    });
    computer = made;
    // cloud-init finds the boot partition by its label, and here the folder of seeds, which it reads in the same way.
    const seeds = ['user-data', 'meta-data', 'network-config'];
    for (const [path, content] of files) {
      // FAT has no modes, and Linux shows each file of it as a program.
      await made.write(`/boot/firmware/${path}`, content.toString(), 0o755);
      if (seeds.includes(path)) {
        await made.write(`/var/lib/cloud/seed/nocloud/${path}`, content.toString());
      }
    }
    await made.write('/etc/cloud/cloud.cfg.d/99_test.cfg', 'datasource_list: [NoCloud]\n');
    return made;
  }

  /** Its interface is not one of a Raspberry Pi, so that nobody else gives it the address. */
  const connect = (made: Computer) =>
    made.run(
      'sh',
      '-c',
      `ip link set host0 up
for each in 10.77.0.2/24 192.168.1.101/24; do ip address replace $each dev host0; done`,
    );

  async function expectSetUp(made: Computer) {
    const said = async (command: string) => (await made.run('sh', '-c', command)).text.trim();
    expect(await said('cat /boot/firmware/skolo-error.txt /var/log/skolo-setup.log')).not.toMatch(
      /failed/,
    );
    expect(await said('hostname')).toBe('rpi-001');
    expect(await made.read('/etc/hosts')).toContain(
      '127.0.1.1 rpi-001.lan rpi-001\n192.168.1.8\tjumphost',
    );
    expect(await said('sshd -T | grep -E "^(passwordauthentication|permitrootlogin) "')).toBe(
      'permitrootlogin no\npasswordauthentication no',
    );
    expect(await said('systemctl is-enabled dphys-swapfile skolo-clock k3s-agent')).toBe(
      'masked\nenabled\nenabled',
    );
    expect(await said('stat -c %a:%s /etc/rancher/k3s/token; cat /etc/rancher/k3s/token')).toBe(
      `600:${testToken.length + 1}\n${testToken}`,
    );
    expect(await said('ls /boot/firmware')).not.toMatch(/skolo-(token|k3s|error)/);
    expect(await said('sha256sum < /usr/local/bin/k3s')).toContain(setup.cluster?.programSha256);
    expect(await made.read('/etc/rancher/k3s/config.yaml')).toContain(
      'server: https://10.77.0.1:6443',
    );
  }

  it('by cloud-init makes it the machine, which joins when the time is right', async () => {
    const made = await newComputer('trixie');
    await made.boot(/starting|running|degraded/);
    const done = await made.run('cloud-init', 'status', '--wait', '--long');
    expect(done.text).toContain('status: done');
    await connect(made);

    await expectSetUp(made);

    const said = async (command: string) => (await made.run('sh', '-c', command)).text.trim();
    expect(await said('cat ~pi/.ssh/authorized_keys')).toBe(setup.user.keys[0]);
    expect(await said('passwd --status pi')).toMatch(/^pi L /);
    expect(await said('su pi -c "sudo -n id -u"')).toBe('0');
    expect(await said('cat /etc/timezone; readlink /etc/localtime')).toContain('Europe/Berlin');
    expect(await said('grep XKBLAYOUT /etc/default/keyboard')).toContain('us');
    expect(await said('cat /etc/netplan/*.yaml')).toContain('192.168.1.101/24');
    expect(await said('journalctl --header | grep "File path: /run"')).toContain('system.journal');
    await expect
      .poll(() => said('systemctl is-active skolo-clock k3s-agent'))
      .toBe('active\nactive');

    // Another start changes nothing.
    const files =
      'sha256sum /etc/hosts /etc/hostname /etc/shadow ~pi/.ssh/* /etc/ssh/ssh_host_* /etc/rancher/k3s/*';
    const before = await said(files);
    await made.cutPower();
    await made.boot(/starting|running|degraded/);
    // It has started, and only the agent waits for the time.
    await expect
      .poll(() => said('systemctl is-active multi-user.target skolo-clock k3s-agent'))
      .toBe('active\nactivating\ninactive');
    await connect(made);
    await expect
      .poll(() => said('systemctl is-active skolo-clock k3s-agent'))
      .toBe('active\nactive');
    expect((await made.run('sh', '-c', files)).text.trim()).toBe(before);
  });

  it('by the first run of systemd makes it the machine', async () => {
    const made = await newComputer('bookworm');
    // As Raspberry Pi OS has them, as far as the script calls them.
    const custom = `#!/bin/sh
case $1 in set_hostname) echo "$2" > /etc/hostname; hostname "$2" ;; set_timezone) echo "$2" > /etc/timezone ;; esac
`;
    await made.write('/usr/lib/raspberrypi-sys-mods/imager_custom', custom, 0o755);
    await made.write('/etc/cloud/cloud-init.disabled', '');
    await made.boot();
    await made.run('useradd', '--create-home', '--shell', '/bin/bash', 'pi');

    const { exitCode, text } = await made.run('sh', '/boot/firmware/firstrun.sh');

    expect(text).toBe('');
    expect(exitCode).toBe(0);
    await expectSetUp(made);
    const said = async (command: string) => (await made.run('sh', '-c', command)).text.trim();
    expect(await said('cat ~pi/.ssh/authorized_keys; stat -c %U:%a ~pi/.ssh/authorized_keys')).toBe(
      `${setup.user.keys[0]}\npi:600`,
    );
    expect(await said('su pi -c "sudo -n id -u"')).toBe('0');
    expect(await made.read('/boot/firmware/cmdline.txt')).not.toContain('systemd.');
    expect(await said('ls /boot/firmware')).not.toContain('firstrun.sh');
    expect(
      await said('stat -c %a /etc/NetworkManager/system-connections/skolo-wifi.nmconnection'),
    ).toBe('600');
  });

  it('by systemd.run makes a Debian of raspi.debian.net the machine', async () => {
    const made = await newComputer('debian');
    // As its first start leaves it: raspi-firmware writes the command line again, before scripts run.
    const words = (await made.read('/boot/firmware/cmdline.txt')).trim().split(' ');
    await made.write('/boot/firmware/cmdline.txt', systems.debian.boot['cmdline.txt']);
    await made.write('/etc/machine-id', '6c4e2a8f90b14d5e8a7c3b1d2f0e9a58\n');

    await made.bootOnce(
      words
        .filter((word) => word.startsWith('systemd.'))
        .map((word) => word.replace('=reboot', '=poweroff')),
    );
    await made.boot(/starting|running|degraded/);

    const said = async (command: string) => (await made.run('sh', '-c', command)).text.trim();
    expect(await said('cat /boot/firmware/skolo-error.txt /var/log/skolo-setup.log')).not.toMatch(
      /failed/,
    );
    expect(await said('hostname; cat /etc/timezone /etc/default/raspi-extra-cmdline')).toBe(
      'rpi-001\nEurope/Berlin\ncgroup_memory=1 cgroup_enable=memory cfg80211.ieee80211_regdom=DE',
    );
    expect(await made.read('/boot/firmware/cmdline.txt')).toBe(
      `${systems.debian.boot['cmdline.txt'].trimEnd()} cgroup_memory=1 cgroup_enable=memory cfg80211.ieee80211_regdom=DE\n`,
    );
    expect(await said('ifquery wired0')).toContain(
      'address: 192.168.1.101\ngateway: 192.168.1.1\nbroadcast: 192.168.1.255',
    );
    expect(await said('ls /boot/firmware')).not.toMatch(/firstrun|skolo-(token|k3s|error)/);
    expect(await said('passwd --status root; passwd --status pi')).toMatch(/^root L .*\npi L /);
    expect(await said('cat ~pi/.ssh/authorized_keys')).toBe(setup.user.keys[0]);
    expect(await said('su pi -c "sudo -n id -u"')).toBe('0');
    expect(await said('stat -c %a /etc/rancher/k3s/token /etc/wpa_supplicant/skolo.conf')).toBe(
      '600\n600',
    );
  });
});
