/** A Debian with its own kernel, BIOS, GRUB and a watchdog, on a computer that QEMU emulates; and a workstation's connection to it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Host, openHost } from '@skolo/setup/engine';
import { peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';

const run = promisify(execFile);
/** As test/debian/build-amd64 lays its disk out, bytes. */
const rootOffset = 1024 * 1024;

/** Why none can be started here; undefined where it can. */
export function whyNoVirtual(): string | undefined {
  const missing = (['virt-amd64', 'ssh'] as const).filter((name) => peer(name) === undefined);
  return missing.length > 0 ? `not here: ${missing.join(', ')}` : undefined;
}

export class VirtualJumphost {
  readonly #folder: string;
  readonly #port: number;
  #qemu: ChildProcess | undefined;
  /** On its serial console, since it was made. */
  printed = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Its disk is a copy; the workstation's key gets in. */
  static async create(): Promise<VirtualJumphost> {
    const folder = await mkdtemp(join(tmpdir(), 'skolo-virtual-'));
    const created = new VirtualJumphost(folder, await freeTcpPort());
    const disk = join(dirname(peer('virt-amd64') ?? ''), 'disk.img');
    await run('cp', ['--sparse=always', disk, created.#disk]);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', created.#key]);
    await created.editDisk([`write ${created.#key}.pub /root/.ssh/authorized_keys`]);
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
    const child = spawn(peer('virt-amd64') ?? '', [this.#disk, String(this.#port)]);
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

  /** Each command is a connection of its own, so that it outlives restarts. */
  async host(signal: AbortSignal): Promise<Host> {
    const options = `IdentityFile=${this.#key} IdentityAgent=none StrictHostKeyChecking=no UserKnownHostsFile=/dev/null
      LogLevel=ERROR ConnectTimeout=10 ServerAliveInterval=5 ServerAliveCountMax=2`;
    const args = options.split(/\s+/).flatMap((each) => ['-o', each]);
    return await openHost({
      name: 'jumphost-rack4',
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
