/**
 * `skolo jumphost replace`, as a person types it: a bare Debian takes the place of a jumphost at the same switch. systemd, sshd, apt
 * and the network are real, the PDU is simulated, and the archive is made by the test. k3s is a fake in front of a real API
 * server: its pods only say that they run, and one program answers for them.
 *
 * One test goes on where the one before has ended.
 */

import { execFileSync } from 'node:child_process';
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { archiveDigest, encryptTo } from '@skolo/backup';
import { sha256 } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { newRackKey } from '@skolo/rack/jumphost';
import {
  address,
  type BareJumphost,
  bridge,
  network,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import {
  type Computer,
  type ContainerRegistry,
  type HttpDevice,
  lacks,
  peer,
  startContainerRegistry,
  startSynaccess,
} from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  makeRacks,
  podResponder,
  routePods,
  startAtTerminal,
  startTyped,
  typed,
} from './jumphost-workstation.ts';

const pdu = `${network}.30`;
const spare = { name: 'spare-rack4', address: `${network}.9` };

function rackYaml(port: number): string {
  return `
rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
secrets: { folder: ~/secrets }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata], power: pdu-1/1 }
logins: { pdus: { username: admin, password: secrets/pdu } }
equipment:
  pdu-1: { model: synaccess, address: ${pdu}, port: ${port}, login: pdus, outlets: 24 }
machines:
  ${spare.name}: { kind: host, address: ${spare.address}, power: pdu-1/2 }
`;
}

/** As on the disk of a jumphost: state of a service, k3s' database and token, ssh host keys. */
async function makeState(old: Computer): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'skolo-state-'));
  const put = async (path: string, content: string) => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o600 });
  };
  for (const key of ['ssh_host_ed25519_key', 'ssh_host_ed25519_key.pub']) {
    await put(`etc/ssh/${key}`, await old.read(`/etc/ssh/${key}`));
  }
  await put('etc/hostname', 'jumphost-rack4\n');
  await put('var/lib/skolo/alert-to-pubsub/of-the-old', 'state');
  await put('var/lib/rancher/k3s/server/token', 'of-the-cluster\n');
  await put(history, '');
  using machines = new DatabaseSync(join(root, history));
  machines.exec('CREATE TABLE entries (id INTEGER)');
  await put(database, '');
  const db = new DatabaseSync(join(root, database));
  db.exec(
    'CREATE TABLE kine (id INTEGER PRIMARY KEY, name TEXT, created INTEGER, deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)',
  );
  const [salt, nonce] = [randomBytes(8).toString('hex'), randomBytes(12)];
  const key = pbkdf2Sync('of-the-cluster', salt, 4096, 32, 'sha1');
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const bytes = Buffer.concat([nonce, cipher.update('{}'), cipher.final(), cipher.getAuthTag()]);
  db.prepare('INSERT INTO kine (name, deleted, value) VALUES (?, 0, ?)').run(
    `/bootstrap/${sha256('of-the-cluster').slice(0, 12)}`,
    `${salt}:${bytes.toString('base64')}`,
  );
  db.close();
  return root;
}

const database = 'var/lib/rancher/k3s/server/db/state.db';
const history = 'var/lib/skolo/machine-state/history.sqlite';

const backupKey = new Secret('of the rack '.repeat(3));

/** As router-backup uploads it. */
async function makeArchive(
  folder: string,
  { root, recipient, day }: { root: string; recipient: string; day: string },
  ...options: string[]
): Promise<void> {
  const tar = execFileSync('tar', ['-c', '-C', root, ...options, 'var', 'etc']);
  const sealed = join(folder, '.sealed');
  await mkdir(folder, { recursive: true });
  const target = createWriteStream(sealed);
  await pipeline(Readable.from([tar]), createGzip(), encryptTo([recipient]), target);
  const time = `${day}T03:15:00Z`;
  const digest = await archiveDigest(sealed, { backupKey, device: 'jumphost-rack4', time });
  await rename(sealed, join(folder, `${day}-jumphost-rack4-${digest}.gz.age`));
}

/** A disk that is plugged into the computer. Undefined: this computer has no loop devices. */
async function plugIn(
  computer: Computer,
  root: string,
  label: string,
): Promise<string | undefined> {
  const image = `${root}.img`;
  execFileSync('mkfs.ext4', ['-q', '-d', root, '-L', label, image, '32M']);
  try {
    const device =
      `${execFileSync('losetup', ['--find', '--show', image], { stdio: 'pipe' })}`.trim();
    await computer.run('mknod', device, 'b', '7', device.replace('/dev/loop', ''));
    return device;
  } catch {
    return undefined;
  } finally {
    await rm(image);
  }
}

const why = whyNoJumphost() ?? lacks('docker-registry');
describe.skipIf(why)('skolo jumphost replace', () => {
  let jumphost: BareJumphost;
  let other: Computer;
  let registry: ContainerRegistry;
  let device: HttpDevice;
  let racks: string;
  let archives: string;
  let identity: string;
  const disks: string[] = [];
  const roots: string[] = [];

  const args = (...more: string[]) => [
    ...[
      'jumphost',
      'replace',
      'rack4',
      '--with',
      spare.name,
      '--from',
      archives,
      '--identity',
      identity,
      '--return-after',
      '10m',
      ...more,
    ],
    ...['--files', jumphost.workstation.files, '--bundles', jumphost.workstation.bundles],
  ];
  const replace = (...more: string[]) => typed(racks, jumphost, args(...more));

  beforeAll(async () => {
    registry = await startContainerRegistry(peer('docker-registry') ?? '');
    await registry.push('skolo/service', '2026-11-20T22_40_05Z-ann-295cca0-clean', 'clean');
    jumphost = await startBareJumphost({ bridge });
    other = await jumphost.addSpare(spare);
    execFileSync('ip', ['address', 'add', `${pdu}/24`, 'dev', bridge]);
    device = await startSynaccess({ host: pdu, outlets: 24 });
    racks = await makeRacks(registry.host, rackYaml(device.port));
    const store = join(jumphost.workstation.env.HOME ?? '', 'secrets/rack4');
    await mkdir(store, { recursive: true, mode: 0o700 });
    await writeFile(join(store, 'pdu'), 'admin', { mode: 0o600 });
    await writeFile(join(store, 'k3s-token'), 'of-the-cluster', { mode: 0o600 });
    await writeFile(join(store, 'rack-key'), newRackKey(), { mode: 0o600 });
    await writeFile(join(store, 'backup-key'), backupKey.reveal(), { mode: 0o600 });
    const daemon = 'power-cycle-daemon/opt/skolo/services/power-cycle-daemon/dist/main.js';
    await writeFile(
      join(jumphost.workstation.bundles, daemon),
      "import('/opt/test/repository/services/power-cycle-daemon/src/main.ts');\n",
    );
    await other.write('/opt/responder.mjs', podResponder);
    await routePods(other);
    const pods = ['--unit=skolo-test-pods', '/opt/test/node', '/opt/responder.mjs'];
    await other.run('systemd-run', ...pods);
    archives = join(racks, '..', `archives-${process.pid}`);
    const state = await makeState(jumphost.computer);
    const age = await generateX25519Identity();
    const recipient = await identityToRecipient(age);
    identity = join(store, '../age-key');
    await writeFile(identity, `${age}\n`, { mode: 0o600 });
    await makeArchive(archives, { root: state, recipient, day: '2026-11-15' });
    await makeArchive(
      archives,
      { root: state, recipient, day: '2026-11-20' },
      `--exclude=${history}`,
    );
    const another = await makeState(jumphost.computer);
    await writeFile(join(another, 'etc/hostname'), 'jumphost-rack5\n');
    for (const [root, label] of [
      [state, 'old-root'],
      [another, 'another-root'],
    ] as const) {
      const device = await plugIn(other, root, label);
      if (device !== undefined) disks.push(device);
    }
    for (const each of [database, history]) await writeFile(join(another, each), 'no database');
    await makeArchive(`${archives}-damaged`, { root: another, recipient, day: '2026-11-20' });
    roots.push(state, another);
    // The workstation knows its host key.
    await typed(racks, jumphost, ['check', 'jumphost', 'rack4', ...args().slice(-4)]);
    await jumphost.computer.cutPower();
  });
  afterAll(async () => {
    await jumphost?.close();
    await device?.close();
    await registry?.close();
    for (const each of disks) execFileSync('losetup', ['--detach', each]);
    for (const each of [racks, archives, `${archives}-damaged`, ...roots]) {
      if (each) await rm(each, { recursive: true, force: true });
    }
  });

  it('is rehearsed on the spare, and changes nothing of the rack', async () => {
    const { code, out } = await replace('--rehearse');

    expect(out).toMatch(/^database +ok /m);
    expect(out).toMatch(/^fence +differs +pdu-1\/1 is reported as on/m);
    expect(out).toMatch(/^metrics +missing +graphs start empty$/m);
    const [, newest] = /^k3s database +(\d+) days old/m.exec(out) ?? [];
    const [, older] = /^machine history +(\d+) days old/m.exec(out) ?? [];
    expect(Number(older) - Number(newest)).toBe(5);
    expect(out).toMatch(
      /^rehearsal finished in \d+ (s|min).*; packages and programs were installed on the spare, but nothing else was changed$/m,
    );
    expect(code).toBe(0);
    expect(device.board.isOn('1')).toBe(true);
    expect((await other.run('ls', '/var/lib/skolo-replace/copy')).exitCode).not.toBe(0);
  });

  it('stops where the database cannot be opened, unless a new cluster is begun', async () => {
    const damaged = ['--from', `${archives}-damaged`, '--rehearse'];
    const stopped = await replace(...damaged);
    const { code, out } = await replace(...damaged, '--new-cluster');

    expect(stopped.out).toMatch(/^database +failed +the k3s database is damaged: .*--new-cluster/m);
    expect(stopped.out).not.toMatch(/^fence/m);
    expect(stopped.code).toBe(1);
    expect(out).toMatch(
      /^k3s database +missing +the cluster starts empty, and every machine must join it again/m,
    );
    expect(out).toMatch(/^machine history +missing +earlier conditions, /m);
    expect(out).toMatch(/^not usable: .*history.sqlite: it is damaged: file is not a database$/m);
    expect(code).toBe(0);
  });

  it('finds the disk of the old jumphost among others', async ({ skip }) => {
    const [device] = disks;
    if (device === undefined) return skip('no loop devices');
    const { code, out } = await replace('--disk', '--rehearse');

    expect(out).toMatch(new RegExp(`^copy +changed +disk ${device}$`, 'm'));
    expect(out).toMatch(/^database +ok /m);
    expect(code).toBe(0);
    expect((await other.run('mountpoint', '/run/skolo-old-disk')).exitCode).not.toBe(0);
    const wrong = await replace('--disk', 'LABEL=another-root', '--rehearse');
    expect(wrong.out).toContain('no disk of jumphost-rack4 found (');
    expect(wrong.out).toContain(': belongs to jumphost-rack5)');
  });

  it('stops where the fence does not hold', async () => {
    device.faults.set('ignores-commands');

    const { code, out } = await replace();
    device.faults.set('ignores-commands', false);

    expect(out).toMatch(
      /jumphost-rack4 is not fenced: .*; unplug its network cable, and run the command again with --cable-is-out/,
    );
    expect(code).toBe(1);
    expect((await other.run('cat', '/etc/hostname')).text).toBe('spare-rack4\n');
  });

  it('asks a person where no outlet is the fence', async () => {
    const { code, out } = await replace('--cable-is-out');

    expect(out).toContain(
      'cannot ask for confirmation without a terminal; run the command in a terminal',
    );
    expect(code).toBe(2);
    const child = startAtTerminal(racks, jumphost, args('--cable-is-out'));
    let said = '';
    child.stdout?.on('data', (data: Buffer) => {
      const asked = said.includes('Type jumphost-rack4');
      said += data;
      if (!asked && said.includes('Type jumphost-rack4')) child.stdin?.write('jumphost-rack4\n');
      if (said.includes('state: changing')) child.kill();
    });
    await once(child, 'close');
    expect(said).toContain('state: changing');
    expect((await other.run('cat', '/etc/hostname')).text).toBe('spare-rack4\n');
  });

  it('goes on after the workstation was killed', async () => {
    const from = disks.length > 0 ? ['--disk', 'LABEL=old-root'] : [];
    const child = startTyped(racks, jumphost, args(...from, '--new-cluster'));
    let said = '';
    child.stdout?.on('data', (data: Buffer) => {
      said += data;
      if (said.includes('state: changing')) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const { code, out } = await replace(...from, '--new-cluster');
    if (code !== 0) console.info(said, out);

    expect(out).toMatch(/^rack4: spare-rack4 became the jumphost in \d+ (s|min)/m);
    expect(code).toBe(0);
    expect((await other.run('hostname')).text).toBe('jumphost-rack4\n');
    expect(device.board.isOn('1')).toBe(false);
    expect(await other.read('/var/lib/skolo/alert-to-pubsub/of-the-old')).toBe('state');
    const last = ['log', '-1', '--format=%s', '--', 'kube/racks/rack4/rack.yaml'];
    expect(`${execFileSync('git', last, { cwd: racks })}`).toBe('make spare-rack4 the jumphost\n');
  });

  const units = ['skolo-active.service', 'networking.service', 'skolo-active-guard.service'];
  const stateOf = async (computer: Computer) =>
    (await computer.run('systemctl', 'is-active', ...units)).text.trim().split('\n').join(' ');
  const addressesOf = async (computer: Computer) =>
    (await computer.run('ip', '-4', '-o', 'address')).text;

  it('has the address, even if the old jumphost was first after a power cut', async () => {
    // As prepare has written them when that one was the jumphost.
    const stand = '/opt/skolo/packages/fallback/dist/active.js';
    const system = '/etc/systemd/system';
    for (const [path, mode] of [
      ...[`${system}/skolo-active.service`, `${system}/skolo-active-guard.service`, stand],
      ...[`${system}/networking.service.d/skolo-active.conf`, '/etc/skolo/active/rack-key.pub'],
      '/usr/local/sbin/skolo-probe-address',
    ].map((each) => [each, /bin\//.test(each) ? 0o755 : 0o644] as const)) {
      await jumphost.computer.write(path, await other.read(path), mode);
    }
    const node = '#!/bin/sh\nexec /opt/test/node "$@"\n';
    await jumphost.computer.write('/usr/bin/node', node, 0o755);
    const gate = 'skolo-active.service';
    await jumphost.computer.write(
      `${system}/sysinit.target.wants/${gate}`,
      await other.read(`${system}/${gate}`),
    );
    await other.cutPower();
    await jumphost.computer.boot();
    await jumphost.computer.run('systemctl', 'start', 'skolo-active-guard.service');
    expect(await stateOf(jumphost.computer)).toBe('active active active');
    expect(await addressesOf(jumphost.computer)).toContain(`${address}/`);

    await other.boot();

    const both = async () => [await stateOf(jumphost.computer), await stateOf(other)];
    await vi.waitFor(
      async () =>
        expect(await both()).toEqual(['inactive inactive failed', 'active active active']),
      { interval: 500 },
    );
    expect(await addressesOf(jumphost.computer)).not.toContain(address);
    expect(await addressesOf(other)).toContain(`${address}/`);
  });

  it('is not disturbed by the old jumphost, which does not serve after a reboot', async () => {
    await jumphost.computer.cutPower();
    await jumphost.computer.boot();

    expect(await stateOf(jumphost.computer)).toMatch(/^failed inactive /);
    expect(await addressesOf(jumphost.computer)).not.toContain(address);
    expect(await addressesOf(other)).toContain(`${address}/`);
  });
});
