/** A bare Debian with systemd and sshd, on a cable of its own, as a person has installed it; and what a workstation has for it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Computer, lacks, peer, removeBridge } from '@skolo/simulators';
import { address, ours, type TestWorkstation } from './test-host.ts';
import {
  addToWorkstation,
  makeTestWorkstation,
  type Place,
  publicKeyOf,
} from './test-workstation.ts';
import { startTimeServer } from './time-server.ts';

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));

/** Why none can be made here; undefined where it can. */
export function whyNoJumphost(): string | undefined {
  return lacks('root', 'systemd-nspawn', 'debian', 'ssh', 'ip', 'control-plane', 'kubectl');
}

export interface BareJumphost {
  computer: Computer;
  workstation: TestWorkstation;
  /** Another one at the same switch, for the same workstation. */
  addSpare(spare: Place): Promise<Computer>;
  close(): Promise<void>;
}

const jumphost: Place = { name: 'jumphost-rack4', address };

interface BareOptions {
  /** A switch that a spare can be plugged into. */
  bridge?: string;
  /** Default: the jumphost of rack4. */
  place?: Place;
  /** Of this computer, by where they are there; they can only be read. */
  folders?: Readonly<Record<string, string>>;
  /** Of Computer. */
  cables?: Readonly<Record<string, string>>;
  /** Where its disk is; default: the folder for temporary files. */
  disks?: string;
}

/** Boots one. */
export async function startBareJumphost(options: BareOptions = {}): Promise<BareJumphost> {
  const { bridge, place = jumphost } = options;
  const home = await mkdtemp(join(tmpdir(), 'skolo-workstation-'));
  const computers: Computer[] = [];
  let timeServer: Awaited<ReturnType<typeof startTimeServer>> | undefined;
  async function close() {
    timeServer?.close();
    for (const each of computers) await each.scrap();
    if (bridge !== undefined) await removeBridge(bridge);
    await rm(home, { recursive: true, force: true });
  }
  async function start(place: Place): Promise<Computer> {
    const computer = await bareComputer(options);
    computers.push(computer);
    await addToWorkstation(home, place);
    await allowWorkstation(home, computer);
    await installDebian(computer, place);
    await computer.boot();
    return computer;
  }
  try {
    const workstation = await makeTestWorkstation(home);
    const computer = await start(place);
    timeServer = await startTimeServer(ours);
    return { computer, workstation, addSpare: start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param debian root file system */
export async function bareComputer(
  { bridge, folders, cables, disks }: BareOptions,
  debian = resolve(peer('debian') ?? '', '../../..'),
): Promise<Computer> {
  return await Computer.bare(peer('systemd-nspawn') ?? '', debian, {
    network: `${ours}/24`,
    ...(bridge !== undefined && { bridge }),
    ...(cables !== undefined && { cables }),
    ...(disks !== undefined && { disks }),
    folders: {
      '/opt/test/node': process.execPath,
      '/opt/test/repository': repository,
      '/opt/test/control-plane': peer('control-plane') ?? '',
      '/opt/test/kubectl': peer('kubectl') ?? '',
      ...folders,
    },
  });
}

/** The workstation's key gets in. */
async function allowWorkstation(home: string, computer: Computer) {
  const key = await readFile(publicKeyOf(home), 'utf8');
  await computer.write('/root/.ssh/authorized_keys', key, 0o600);
}

/** What a person has done at its console. */
async function installDebian(computer: Computer, { name, address }: Place): Promise<void> {
  await computer.write('/etc/hostname', `${name}\n`);
  // As Debian's installer does; sudo looks its own name up. The alias of rack.yaml is here, since there is no DNS.
  await computer.write(
    '/etc/hosts',
    `127.0.0.1 localhost\n127.0.1.1 ${name}\n${jumphost.address} metadata\n`,
  );
  await computer.write(
    '/etc/network/interfaces',
    `auto lo host0
iface lo inet loopback
iface host0 inet static
  address ${address}/24
  gateway ${ours}
`,
  );
  await computer.write('/etc/chrony/sources.d/rack.sources', `server ${ours} iburst\n`);
  await adaptToContainer(computer);
  // Whose first contact makes the keys of a container that was copied.
  await computer.write(
    '/etc/systemd/system/ssh.service.d/keys.conf',
    '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
  );
}

/** The clock is not the container's: chrony runs, and sets nothing. */
export async function adaptToContainer(computer: Computer): Promise<void> {
  await computer.write('/etc/default/chrony', 'DAEMON_OPTS="-x"\n');
  await computer.write(
    '/etc/systemd/system/chrony.service.d/container.conf',
    '[Unit]\nConditionCapability=\n',
  );
}
