/** A Debian with its own kernel, BIOS, GRUB and a watchdog, on a computer that QEMU emulates; and a workstation's connection to it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Host, openHost } from '@skolo/setup/engine';
import {
  addToWorkstation,
  makeTestWorkstation,
  type OpenHost,
  openTestHost,
  publicKeyOf,
  type TestWorkstation,
} from '@skolo/setup/k3s/testing';
import { lacks, peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const name = 'jumphost-rack4';
/** Its own, in QEMU's network (test/debian/virt-amd64). */
export const virtualAddress = '10.0.2.15';
export const virtualSubnet = '10.0.2.0/24';
/** What the programs of a test workstation start, at the next boot and later, too. Only a computer's own kernel has this file system. */
const shares = `share0 /opt/test/repository 9p ro,trans=virtio,nofail 0 0
share1 /opt/test/node-folder 9p ro,trans=virtio,nofail 0 0`;
/** As test/debian/build-amd64 lays its disk out, bytes. */
const rootOffset = 1024 * 1024;

/** Why none can be started here; undefined where it can. */
export function whyNoVirtual(): string | undefined {
  return lacks('virt-amd64', 'ssh');
}

export class VirtualJumphost {
  readonly #folder: string;
  readonly #port: number;
  readonly workstation: TestWorkstation;
  #qemu: ChildProcess | undefined;
  /** On its serial console, since it was made. */
  printed = '';

  private constructor(folder: string, port: number, workstation: TestWorkstation) {
    this.#folder = folder;
    this.#port = port;
    this.workstation = workstation;
  }

  /** Its disk is a copy; the workstation's key gets in. */
  static async create(): Promise<VirtualJumphost> {
    const folder = await mkdtemp(join(tmpdir(), 'skolo-virtual-'));
    const workstation = await makeTestWorkstation(folder);
    const created = new VirtualJumphost(folder, await freeTcpPort(), workstation);
    const disk = join(dirname(peer('virt-amd64') ?? ''), 'disk.img');
    await run('cp', ['--sparse=always', disk, created.#disk]);
    await created.editDisk([`write ${publicKeyOf(folder)} /root/.ssh/authorized_keys`]);
    await addToWorkstation(folder, { name, address: '127.0.0.1', port: created.#port });
    return created;
  }

  get #disk(): string {
    return join(this.#folder, 'disk.img');
  }

  get #key(): string {
    return join(this.#folder, 'id_ed25519');
  }

  /** Commands of debugfs, while it has no power. */
  async editDisk(commands: readonly string[]): Promise<void> {
    const file = join(this.#folder, 'debugfs');
    await writeFile(file, `${commands.join('\n')}\n`);
    await run('debugfs', ['-w', '-f', file, `${this.#disk}?offset=${rootOffset}`]);
  }

  powerOn(): void {
    const folders = [repository, dirname(process.execPath)];
    const child = spawn(peer('virt-amd64') ?? '', [this.#disk, String(this.#port), ...folders]);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.printed += text;
      });
    }
    this.#qemu = child;
  }

  /** Cuts its power. */
  async powerOff(): Promise<void> {
    this.#qemu?.kill('SIGKILL');
    await this.off();
  }

  /** Waits until it has turned itself off. */
  async off(): Promise<void> {
    const child = this.#qemu;
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#qemu = undefined;
  }

  /** What a person has done at its console, and what the programs of the workstation start. */
  async settle(host: Host): Promise<void> {
    await host.need(`echo Gateway=10.0.2.2 >> /etc/systemd/network/en.network
systemctl restart systemd-networkd
mkdir -p /opt/test/repository /opt/test/node-folder
ln -s node-folder/node /opt/test/node
echo '${shares}' >> /etc/fstab && mount -a`);
  }

  /** A session of the workstation, for what a restart ends, too. */
  async session(signal: AbortSignal, server?: string): Promise<OpenHost> {
    return await openTestHost(this.workstation, signal, server);
  }

  /** Each command is a connection of its own, so that it outlives restarts. */
  async host(signal: AbortSignal): Promise<Host> {
    const options = `IdentityFile=${this.#key} IdentityAgent=none StrictHostKeyChecking=no UserKnownHostsFile=/dev/null
      LogLevel=ERROR ConnectTimeout=10 ServerAliveInterval=5 ServerAliveCountMax=2`;
    const args = options.split(/\s+/).flatMap((each) => ['-o', each]);
    return await openHost({
      name,
      signal,
      start: async (command, stop) =>
        spawn(
          peer('ssh') ?? '',
          [...args, '-F', 'none', '-p', `${this.#port}`, 'root@127.0.0.1', command],
          { stdio: 'pipe', signal: stop },
        ),
    });
  }

  async scrap(): Promise<void> {
    await this.powerOff();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
