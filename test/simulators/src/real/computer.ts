/**
 * A whole Debian, booted by systemd in namespaces of its own: a bare one of test/debian, or one whose /usr is this computer's.
 */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFile,
  spawn,
} from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { patienceMs, systemPath } from '../process.ts';

const run = promisify(execFile);

const unwanted = [
  'dbus.service',
  'dbus.socket',
  'getty.target',
  'systemd-logind.service',
  'systemd-tmpfiles-clean.timer',
];

/** Of programs that are started in a computer. */
const env = {
  PATH: systemPath,
  HOME: '/root',
  NODE_COMPILE_CACHE: '/var/cache/node',
};

interface Output {
  exitCode: number;
  /** What it printed, errors included. */
  text: string;
}

export class Computer {
  /** Its disk, while it is off. */
  readonly root: string;
  private readonly nspawn: string;
  private readonly plan: Plan;
  private process: ChildProcess | undefined;
  private output = '';
  private cgroups: string[] = [];

  private constructor(nspawn: string, root: string, plan: Plan) {
    this.nspawn = nspawn;
    this.root = root;
    this.plan = plan;
  }

  /**
   * Makes the disk of a bare Debian; `boot` turns it on.
   *
   * @param debian a root file system, which stays as it is
   * @param folders of this computer, by where they are there; they can only be read
   * @param network its interface `host0` and ours are the ends of one cable; ours gets this address
   * @param bridge name of a switch that several computers are plugged into; our address is at the switch then
   * @param cables more of them: names of their ends here, by those there
   * @param disks the folder that its disk is in
   */
  static async bare(
    nspawn: string,
    debian: string,
    { folders, network, bridge, cables = {}, disks = tmpdir() }: BareOptions,
  ): Promise<Computer> {
    const disk = await mkdtemp(join(disks, 'skolo-debian-'));
    for (const folder of ['root', 'work', 'all']) await mkdir(join(disk, folder), { mode: 0o755 });
    const extra = Object.entries(cables).map(([to, from]) => `--network-veth-extra=${from}:${to}`);
    const binds = Object.entries(folders).map(([to, from]) => `--bind-ro=${from}:${to}`);
    return new Computer(nspawn, join(disk, 'root'), {
      disk,
      network,
      ...(bridge !== undefined && { bridge }),
      // Its time zone is its own.
      args: ['--network-veth', ...extra, '--timezone=off', ...binds],
      // Hidden from all other processes, and gone with the computer.
      mount: `mount -t overlay -o lowerdir=${debian},upperdir=${disk}/root,workdir=${disk}/work overlay ${disk}/all`,
      directory: join(disk, 'all'),
    });
  }

  /** Makes its disk, with /usr of this computer; `boot` turns it on. */
  static async make(nspawn: string): Promise<Computer> {
    const root = await mkdtemp(join(tmpdir(), 'skolo-jumphost-'));
    // Users of it have to get in.
    await chmod(root, 0o755);
    const computer = new Computer(nspawn, root, {
      disk: root,
      args: [
        '--private-network',
        '--bind-ro=/usr',
        // The units name this path, and another Node may be there.
        `--bind-ro=${process.execPath}:/usr/bin/node`,
        `--bind=${join(root, 'local')}:/usr/local/sbin`,
      ],
      mount: 'true',
      directory: root,
    });
    for (const folder of [
      'dev',
      'local',
      'opt',
      'proc',
      'root',
      'run',
      'sys',
      'tmp',
      'usr',
      'var',
    ]) {
      await mkdir(join(root, folder));
    }
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
      await symlink(`usr/${folder}`, join(root, folder));
    }
    await cp('/usr/lib/os-release', join(root, 'etc/os-release'));
    // With an id it is no first boot, on which systemd enables all that is installed.
    await computer.write('/etc/machine-id', '6c4e2a8f90b14d5e8a7c3b1d2f0e9a58\n');
    await computer.write(
      '/etc/passwd',
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
    );
    await computer.write('/etc/group', 'root:x:0:\nnogroup:x:65534:\n');
    await computer.write('/etc/hosts', '127.0.0.1 localhost\n');
    await mkdir(join(root, 'etc/systemd/system'), { recursive: true });
    // What needs more of a disk than there is, or is not needed.
    for (const unit of unwanted) {
      await symlink('/dev/null', join(root, 'etc/systemd/system', unit));
    }
    return computer;
  }

  /** @param path in the computer */
  async write(path: string, content: string, mode = 0o644): Promise<void> {
    const file = join(await this.folder(), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode });
  }

  async read(path: string): Promise<string> {
    return await readFile(join(await this.folder(), path), 'utf8');
  }

  /** Where its files are now. */
  private async folder(): Promise<string> {
    const isWhole = this.plan.directory === this.root || this.process === undefined;
    return isWhole ? this.root : `/proc/${await this.leader()}/root`;
  }

  /** Puts a folder of this computer there. */
  async copy(from: string, path: string): Promise<void> {
    await cp(from, join(this.root, path), { recursive: true });
  }

  /** Until systemd says this of itself. */
  async boot(state = /running|degraded/): Promise<void> {
    const child = await this.turnOn(['systemd.unit=multi-user.target']);
    let isPlugged = false;
    for (const end = performance.now() + patienceMs; performance.now() < end; ) {
      if (child.exitCode !== null) break;
      // Its interface is there a moment after its start.
      isPlugged ||= await this.plug().then(
        () => true,
        () => false,
      );
      const { text } = await this.run('systemctl', 'is-system-running').catch(() => ({ text: '' }));
      if (isPlugged && state.test(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    throw new Error(`it does not boot: ${this.output}`);
  }

  /** With these words of a command line of a kernel, until it turns itself off. */
  async bootOnce(words: readonly string[]): Promise<void> {
    await this.turnOn(words);
    await this.off();
  }

  /** Waits until it has turned itself off, also to restart: nspawn leaves that to us. */
  async off(): Promise<void> {
    const child = this.process;
    if (child?.exitCode === null) {
      await once(child, 'exit');
    }
    await this.isOff();
  }

  private async turnOn(words: readonly string[]): Promise<ChildProcess> {
    this.output = '';
    const name = basename(this.plan.disk);
    this.cgroups = await makeCgroups(name);
    const enter = `set -e; ${this.plan.mount}; for each in $1; do echo $$ > "$each/cgroup.procs"; done; shift; exec "$@"`;
    const child = spawn(
      // It loses its power when its test dies. Otherwise it would keep its address, which the next test may get.
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['--mount', '--propagation', 'slave', 'sh', '-c', enter, 'sh', this.cgroups.join(' ')],
        this.nspawn,
        '--quiet',
        '--register=no',
        '--keep-unit',
        '--link-journal=no',
        '--settings=no',
        `--machine=${this.machine()}`,
        `--directory=${this.plan.directory}`,
        ...this.plan.args,
        '--console=pipe',
        '--boot',
        ...words,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output = `${this.output}${data}`.slice(-4000);
      });
    }
    return child;
  }

  /** Names of interfaces have 15 characters: `ve-` and this. */
  private machine(): string {
    return basename(this.plan.disk).slice(-6).toLowerCase();
  }

  /** Our end of its cable. */
  private async plug(): Promise<void> {
    const { network, bridge } = this.plan;
    if (network === undefined) return;
    if (bridge === undefined)
      await run('ip', ['address', 'replace', network, 'dev', `ve-${this.machine()}`]);
    else {
      await makeBridge(bridge, network);
      await run('ip', ['link', 'set', `ve-${this.machine()}`, 'master', bridge]);
    }
    await this.setCable(true);
  }

  /** Pulls its cable out, or plugs it in again. */
  async setCable(isIn: boolean): Promise<void> {
    await run('ip', ['link', 'set', `ve-${this.machine()}`, isIn ? 'up' : 'down']);
  }

  /** Starts a program in it, as root. */
  async start(program: string, ...args: string[]): Promise<ChildProcessWithoutNullStreams> {
    return spawn('nsenter', [...(await this.entry()), program, ...args], { env });
  }

  /** Arguments of nsenter, before the program. */
  private async entry(): Promise<string[]> {
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    return [`--target=${await this.leader()}`, ...namespaces, '--'];
  }

  /** Runs a program in it, as root. */
  async run(program: string, ...args: string[]): Promise<Output> {
    const entry = await this.entry();
    try {
      const { stdout, stderr } = await run('nsenter', [...entry, program, ...args], {
        env,
      });
      return { exitCode: 0, text: stdout + stderr };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number')
        throw error;
      const output = [
        ...('stdout' in error ? [error.stdout] : []),
        ...('stderr' in error ? [error.stderr] : []),
      ];
      return { exitCode: error.code, text: output.join('') };
    }
  }

  /** The first process in it: nspawn is the child of unshare, and the first process is that of nspawn. */
  private async leader(): Promise<string> {
    let pid = String(this.process?.pid);
    for (let generation = 0; generation < 2; generation += 1) {
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      pid = children.split(' ')[0] ?? '';
      if (pid === '') throw new Error('it is off');
    }
    return pid;
  }

  /** As a power cut does. */
  async cutPower(): Promise<void> {
    const child = this.process;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    try {
      process.kill(Number(await this.leader()), 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
    await ended;
    await this.isOff();
  }

  private async isOff(): Promise<void> {
    this.process = undefined;
    for (const cgroup of this.cgroups) await removeCgroup(cgroup);
  }

  /** Turns it off, and its disk is gone. */
  async scrap(): Promise<void> {
    await this.cutPower();
    await rm(this.plan.disk, { recursive: true, force: true });
  }
}

interface BareOptions {
  folders: Readonly<Record<string, string>>;
  network: string;
  bridge?: string;
  /** More of them: names of their ends here, by those there. */
  cables?: Readonly<Record<string, string>>;
  /** The folder that its disk is in. */
  disks?: string;
}

/** It stays: another computer may be plugged in. `removeBridge` ends it. */
async function makeBridge(name: string, address: string): Promise<void> {
  const isThere = await run('ip', ['link', 'show', name]).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await run('ip', ['link', 'add', 'name', name, 'type', 'bridge']);
  await run('ip', ['address', 'add', address, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
}

/** Of computers that were scrapped. */
export async function removeBridge(name: string): Promise<void> {
  await run('ip', ['link', 'delete', name]).catch(() => undefined);
}

interface Plan {
  /** A folder that is gone with the computer. */
  disk: string;
  /** Of nspawn. */
  args: readonly string[];
  /** A script that makes the folder that it boots from. */
  mount: string;
  directory: string;
  network?: string;
  bridge?: string;
}

/**
 * A cgroup of its own, below ours, in each hierarchy that systemd uses: the unified one, or the two of a hybrid layout. In
 * ours, two computers would share one.
 */
async function makeCgroups(name: string): Promise<string[]> {
  const own = await readFile('/proc/self/cgroup', 'utf8');
  const made: string[] = [];
  for (const [hierarchy, folder] of [
    ['0::', '/sys/fs/cgroup'],
    ['0::', '/sys/fs/cgroup/unified'],
    ['name=systemd:', '/sys/fs/cgroup/systemd'],
  ] as const) {
    const isThere = await access(join(folder, 'cgroup.procs')).then(
      () => true,
      () => false,
    );
    const line = own.split('\n').find((each) => each.includes(hierarchy));
    if (!isThere || line === undefined) continue;
    const cgroup = join(folder, line.slice(line.lastIndexOf(':') + 1), name);
    await mkdir(cgroup);
    made.push(cgroup);
  }
  return made;
}

/** The kernel removes the files of a cgroup with it, and its processes a moment after they have ended. */
async function removeCgroup(cgroup: string): Promise<void> {
  for (const entry of await readdir(cgroup, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeCgroup(join(cgroup, entry.name));
  }
  for (let tries = 0; tries < 50; tries += 1) {
    const isGone = await rmdir(cgroup).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (isGone) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
