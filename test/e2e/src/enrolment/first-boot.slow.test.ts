/** The first start of a card with the shared image, in a Debian that systemd boots in namespaces, with cloud-init and the real service. */

import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { dirname, join, resolve } from 'node:path';
import { sha256 } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { bootFiles, diskOf, openBaseImage, type PiSetup } from '@skolo/setup/pi';
import { makeTestImage, systems } from '@skolo/setup/pi/testing';
import { Computer, lacks, peer } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned } from './fake-cluster.ts';
import type { Image } from './pi.ts';
import { startEnrolmentRack } from './rack.ts';

const ours = '10.77.0.1';
const serial = '10000000f00dcafe';
const pairing = '/var/lib/lockdown/00008101-000A1B2C3D4E5F60.plist';
/** The agent of k3s joins at once. */
const program = Buffer.from(`#!/bin/sh
mkdir -p /var/lib/rancher/k3s/agent
echo joined > /var/lib/rancher/k3s/agent/client-kubelet.crt
exec sleep 600
`);
const systemctl =
  '#!/bin/sh\n[ "$1" != reboot ] || exec touch /restarts\nexec /usr/bin/systemctl "$@"\n';
/** A container has no device tree. */
const deviceTree = '/opt/device-tree';
const patiently = { interval: 1000 };

const why = lacks('root', 'systemd-nspawn', 'cloud-init-root', 'mtools', 'ip');
describe.skipIf(why)('the first start of a shared image', () => {
  it('makes it the machine of its serial number, which joins, and so does its next card', async () => {
    const rack = await startEnrolmentRack(
      `  rpi-1: { kind: rpi, address: 127.0.1.1, serial: ${serial} }`,
    );
    const folder = await tempDir();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await selfSigned(key, cert, 'DNS:k3s');
    const server = createServer(
      { key: await readFile(key), cert: await readFile(cert) },
      (_, response) => response.writeHead(401).end(),
    );
    await new Promise<void>((done) => server.listen(6443, '0.0.0.0', done));
    onTestFinished(() => void server.close());
    const image = await rack.image();

    const first = await newCard(folder, image);
    await start(first);
    const said = async (command: string) => (await first.run('sh', '-c', command)).text.trim();
    // It restarts with its name. Here its power fails then.
    await expect
      .poll(() => said('cat /restarts /var/lib/skolo-enrol/name'), patiently)
      .toBe('rpi-1 127.0.1.1');
    await first.cutPower();
    await start(first);
    await expect.poll(() => said('systemctl is-active k3s-agent'), patiently).toBe('active');
    await expect.poll(() => said('systemctl is-enabled skolo-enrol'), patiently).toBe('disabled');
    expect(await said('hostname; cat /etc/hostname')).toBe('rpi-1\nrpi-1');
    expect(await said('cat /etc/rancher/k3s/config.yaml')).toMatch(/node-name: "?rpi-1"?\n/);
    expect(await said('cat /etc/netplan/60-skolo.yaml')).toContain('127.0.1.1/8');
    expect(await said('ls /var/lib/skolo-enrol /boot/firmware')).not.toMatch(/secret|skolo-token/);
    const [secretText] = image.secret.split('.').slice(1);
    expect(await said('journalctl --no-pager; cat /var/log/skolo-setup.log')).not.toContain(
      secretText,
    );
    // A phone is plugged in.
    await first.run('sh', '-c', `echo '<plist/>' > ${pairing}`);
    await expect
      .poll(
        () =>
          readFile(join(rack.dir, 'state/enrolment/lockdown/rpi-1.tar.gz')).then(
            () => 'kept',
            String,
          ),
        patiently,
      )
      .toBe('kept');
    await first.scrap();

    const second = await newCard(folder, image);
    await start(second);
    await expect
      .poll(
        async () => (await rack.client().enrolments()).waiting.map(({ code }) => code),
        patiently,
      )
      .toEqual(['taken']);
    expect((await second.run('sh', '-c', 'cat /run/issue.d/skolo.issue')).text).toContain(serial);
    const { waiting } = await rack.client().enrolments();
    await rack
      .client()
      .adopt({ body: { key: waiting[0]?.key ?? '', name: 'rpi-1', reason: 'new card' } });
    await expect.poll(() => second.read(pairing).catch(String), patiently).toBe('<plist/>\n');
  });
});

async function newCard(folder: string, { port, pin, secret }: Image): Promise<Computer> {
  const setup: PiSetup = {
    identity: { hostname: 'skolo-new', wired: 'dhcp' },
    user: { name: 'pi', keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk'] },
    wifi: 'off',
    nameServers: [],
    hosts: [],
    timezone: 'UTC',
    keyboard: 'us',
    locale: 'C.UTF-8',
    timeServers: [ours],
    cluster: { server: ours, programSha256: sha256(program) },
    enrolment: { port, pin, secret: new Secret(secret), subnet: { prefix: 8 } },
  };
  const base = join(folder, 'trixie.img');
  await makeTestImage(base, systems.trixie);
  const file = await open(base);
  const opened = await openBaseImage(await diskOf(base, file));
  const files = await bootFiles(opened, { setup, program, now: new Date() });
  await file.close();
  const root = resolve(dirname(peer('cloud-init-root') ?? ''), '../..');
  const made = await Computer.bare(peer('systemd-nspawn') ?? '', root, {
    folders: {},
    network: `${ours}/24`,
  });
  onTestFinished(() => made.scrap());
  for (const [path, content] of files) {
    const text = content.toString().replaceAll('$root/proc/device-tree/', `${deviceTree}/`);
    await made.write(`/boot/firmware/${path}`, text);
    if (['user-data', 'meta-data', 'network-config'].includes(path)) {
      await made.write(`/var/lib/cloud/seed/nocloud/${path}`, text);
    }
  }
  await made.write('/etc/cloud/cloud.cfg.d/99_test.cfg', 'datasource_list: [NoCloud]\n');
  // A container that restarts is gone.
  await made.write('/usr/local/sbin/systemctl', systemctl, 0o755);
  await made.write(`${deviceTree}/serial-number`, `${serial}\0`);
  await made.write(`${deviceTree}/model`, 'Raspberry Pi 4 Model B\0');
  return made;
}

async function start(made: Computer): Promise<void> {
  await made.boot(/starting|running|degraded/);
  await made.run('cloud-init', 'status', '--wait');
  // Its interface is not one of a Raspberry Pi. The rack is on this computer.
  await made.run(
    'sh',
    '-c',
    'ip link set host0 up; for each in 10.77.0.2/24 127.0.1.1/32; do ip address replace $each dev host0; done',
  );
}
