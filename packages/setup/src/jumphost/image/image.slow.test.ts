/**
 * One image, and sticks that make two computers of it: a Debian of test/debian becomes the image, and systemd boots it in namespaces.
 * The kernel of a container has no FAT, so a folder stands in for the file system of a stick. Kernel, boot loader and disk are not
 * in this test.
 *
 * One test goes on where the one before has ended.
 */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { nodeVersion } from '@skolo/setup/debian';
import { downloader, openRootFolder, prepare } from '@skolo/setup/engine';
import { k3sVersion } from '@skolo/setup/k3s';
import {
  adaptToContainer,
  address,
  addToWorkstation,
  bareComputer,
  bridge,
  makeTestWorkstation,
  network,
  openTestHost,
  ours,
  publicKeyOf,
  type TestWorkstation,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { type Computer, peer, removeBridge } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rackYaml, testSteps } from '../testing/test-steps.ts';
import { identityOf, identityText } from './identity.ts';
import { imageSteps } from './steps.ts';

const { signal } = new AbortController();
const repository = resolve(import.meta.dirname, '../../../../..');
const spare = { name: 'spare-rack4', address: `${network}.9` };

/** What a stick sets. */
const given =
  'sha256sum /etc/hostname /etc/hosts /etc/resolv.conf /etc/machine-id /etc/skolo/identity /etc/systemd/network/* /root/.ssh/authorized_keys /etc/ssh/ssh_host_*';

/** Folders of /sticks are the file systems of sticks. */
const fakePrograms = {
  lsblk:
    '#!/bin/sh\ncd /sticks && for each in */; do [ ! -d "$each" ] || echo "/dev/$(basename "$each") vfat"; done\n',
  mount: `#!/bin/sh
case $* in
  '-t vfat -o ro,nosuid,nodev,noexec /dev/'*) exec /usr/bin/mount --bind -o ro "/sticks/\${5#/dev/}" "$6" ;;
esac
exec /usr/bin/mount "$@"
`,
};

describe.skipIf(whyNoJumphost())('the image of a jumphost', () => {
  let home: string;
  let image: string;
  let workstation: TestWorkstation;
  let computer: Computer;
  const computers: Computer[] = [];

  const said = async () =>
    (await computer.run('journalctl', '-u', 'skolo-first-boot', '-b', '-o', 'cat', '-q')).text;
  const untilSaid = (text: string) => expect.poll(said, { interval: 500 }).toContain(text);
  const stick = (text: string, device = 'sda1') =>
    computer.write(`/sticks/${device}/skolo-identity.txt`, text);
  const unplug = () => computer.run('sh', '-c', 'rm -rf /sticks/*');

  async function textOf(machine?: string): Promise<string> {
    const described = `machines: { ${spare.name}: { kind: host, address: ${spare.address} },`;
    const rack = parseRack(rackYaml.replace('machines: {', described), { file: 'rack.yaml' });
    const keys = [(await readFile(publicKeyOf(home), 'utf8')).trim()];
    return identityText(identityOf({ rack, machine, keys, gateway: ours }));
  }

  async function newComputer(): Promise<Computer> {
    const made = await bareComputer({ bridge }, image);
    computers.push(made);
    await adaptToContainer(made);
    for (const [name, text] of Object.entries(fakePrograms)) {
      await made.write(`/usr/local/sbin/${name}`, text, 0o755);
    }
    // Containers share the kernel, which may not have the file system that NFS uses.
    const mount = '/etc/systemd/system/run-rpc_pipefs.mount.d/container.conf';
    await made.write(mount, '[Mount]\nType=tmpfs\n');
    await made.write('/sticks/README', '');
    return made;
  }

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'skolo-workstation-'));
    image = await mkdtemp(join(tmpdir(), 'skolo-image-'));
    workstation = await makeTestWorkstation(home);
    for (const each of [{ name: 'jumphost-rack4', address }, spare])
      await addToWorkstation(home, each);
    await run('cp', ['-a', `${resolve(peer('debian') ?? '', '../../..')}/.`, image]);
    await run('mkdir', ['-p', join(image, 'opt/test')]);
    // What its programs call while the image is made.
    const versions = `#!/bin/sh\ncase "$*" in *k3s*) echo 'k3s version ${k3sVersion} (test)' ;; *) echo v${nodeVersion} ;; esac\n`;
    await writeFile(join(image, 'opt/test/node'), versions, { mode: 0o755 });
  });
  afterAll(async () => {
    for (const each of computers) await each.scrap();
    await removeBridge(bridge);
    for (const each of [home, image]) if (each) await rm(each, { recursive: true, force: true });
  });

  it('has all that jumphosts share, and nothing by which one is known', async () => {
    const host = await openRootFolder({ name: 'the image', root: image }, signal);
    const steps = imageSteps({
      k3sVersion,
      download: downloader({
        folder: workstation.files,
        fetch,
        signal,
        confirm: async () => false,
      }),
      sources: { bundles: workstation.bundles, deploy: join(repository, 'deploy') },
    });

    // Debian of the test has no kernel.
    const withoutKernel = steps.filter(({ name }) => name !== 'boot');
    const done = await prepare(host, withoutKernel, { isCheck: false, signal, report() {} });

    const states = new Map(done.map(({ name, state, text }) => [name, `${state} ${text}`]));
    for (const name of ['packages', 'node', 'programs', 'images', 'k3s', 'first-boot', 'anonymous'])
      expect.soft(states.get(name), name).toMatch(/^changed/);
    expect((await readdir(join(image, 'etc/ssh'))).filter((each) => /host/.test(each))).toEqual([]);
    expect(await readFile(join(image, 'etc/machine-id'), 'utf8')).toBe('');
    expect(await readdir(join(image, 'root'))).not.toContain('.ssh');
    expect(await readdir(join(image, 'var/lib/systemd'))).not.toContain('random-seed');
    await rm(join(image, 'opt/test'), { recursive: true });
  });

  it('waits for a stick, without a network, and says what is wrong with one', async () => {
    computer = await newComputer();
    await computer.boot(/starting/);
    await untilSaid('no stick with skolo-identity.txt; create one with');
    expect((await computer.run('systemctl', 'is-active', 'ssh', 'systemd-networkd')).text).toBe(
      'inactive\ninactive\n',
    );

    await stick((await textOf()).replace(address, spare.address));
    await untilSaid('skolo-identity.txt of /dev/sda1 is damaged or was edited');
    await stick((await textOf()).slice(0, 150));
    await stick('', 'sdb1');
    await untilSaid('sticks for different computers (sda1 sdb1)');
    await unplug();
    await stick(await textOf().then((text) => text.replace('identity 1', 'identity 2')));
    await untilSaid('is damaged or from another version of skolo');
    await unplug();
    await computer.setCable(false);
    await stick(await textOf());
    await untilSaid('no network cable in host0');
  });

  it('does not take an address that another computer has', async () => {
    await run('ip', ['address', 'add', `${address}/24`, 'dev', bridge]);
    await computer.setCable(true);

    await untilSaid(`) uses the address ${address} of this stick`);

    expect((await computer.run('ip', '-4', 'address', 'show', 'host0')).text).toBe('');
    await unplug();
    await run('ip', ['address', 'delete', `${address}/24`, 'dev', bridge]);
  });

  it('begins again after a power cut, and is nothing of the previous stick then', async () => {
    const keygen = '/usr/local/sbin/ssh-keygen';
    await computer.write(keygen, '#!/bin/sh\ntouch /cut\nexec sleep 600\n', 0o755);
    await stick(await textOf(spare.name));
    await expect.poll(async () => (await computer.run('ls', '/cut')).exitCode).toBe(0);
    expect(await computer.read('/etc/hostname')).toBe('spare-rack4\n');
    await computer.cutPower();
    await rm(join(computer.root, keygen));
    await rm(join(computer.root, 'sticks/sda1'), { recursive: true });
    await stick(await textOf());

    await computer.boot();

    await untilSaid(`this is now jumphost-rack4 of rack4, ${address}/24 on host0`);
    await untilSaid('the host key is SHA256:');
    const { text } = await computer.run('grep', '-rls', spare.name, '/etc', '/root');
    expect(text).toBe('');
    const host = await openTestHost(workstation, signal);
    expect(await host.need('hostname')).toBe('jumphost-rack4\n');
    await host.close();
  });

  it('is the same after another start, whatever stick is there', async () => {
    const before = (await computer.run('sh', '-c', given)).text;
    await stick(await textOf(spare.name));

    await computer.cutPower();
    await computer.boot();

    expect((await computer.run('sh', '-c', given)).text).toBe(before);
    expect(await said()).toMatch(/^\S+ - .* was skipped because of an unmet condition check/);
    expect((await computer.run('hostname')).text).toBe('jumphost-rack4\n');
  });

  it('is prepared by few steps, which leave alone what the stick has set', async () => {
    const before = (await computer.run('sh', '-c', given)).text;
    const host = await openTestHost(workstation, signal);

    const done = await prepare(host, testSteps(workstation, signal), {
      isCheck: false,
      signal,
      report() {},
    });
    await host.close();

    expect(Object.fromEntries(done.map(({ name, state }) => [name, state]))).toMatchObject({
      system: 'ok',
      packages: 'ok',
      journal: 'ok',
      updates: 'ok',
      node: 'ok',
      address: 'ok',
      ssh: 'ok',
      programs: 'ok',
      images: 'ok',
      clock: 'changed',
      k3s: 'changed',
    });
    expect(done.filter(({ state }) => !/^(ok|changed)$/.test(state))).toEqual([]);
    expect((await computer.run('sh', '-c', given)).text).toBe(before);
  });

  it('makes another computer with another stick', async () => {
    const first = computer;
    computer = await newComputer();
    await stick(await textOf(spare.name));

    await computer.boot();

    const ways = [{ host: spare.name }];
    const host = await openTestHost(
      { ...workstation, rack: { ...workstation.rack, ways } },
      signal,
    );
    expect(await host.need('hostname')).toBe('spare-rack4\n');
    await host.close();
    for (const file of ['/etc/machine-id', '/etc/ssh/ssh_host_ed25519_key.pub']) {
      expect(await computer.read(file), file).not.toBe(await first.read(file));
    }
  });
});
