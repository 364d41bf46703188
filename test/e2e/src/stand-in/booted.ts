/** A whole Debian, booted by systemd in namespaces of its own: /usr is this computer's, the rest is the test's. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
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

const run = promisify(execFile);

const unwanted = [
  'dbus.service',
  'dbus.socket',
  'getty.target',
  'systemd-logind.service',
  'systemd-tmpfiles-clean.timer',
];

export interface Output {
  exitCode: number;
  /** What it printed, errors included. */
  text: string;
}

export class Computer {
  readonly root: string;
  private readonly nspawn: string;
  private process: ChildProcess | undefined;
  private output = '';
  private cgroups: string[] = [];

  private constructor(nspawn: string, root: string) {
    this.nspawn = nspawn;
    this.root = root;
  }

  /** Makes its disk; `boot` turns it on. */
  static async make(nspawn: string): Promise<Computer> {
    const root = await mkdtemp(join(tmpdir(), 'skolo-jumphost-'));
    // Users of it have to get in.
    await chmod(root, 0o755);
    const computer = new Computer(nspawn, root);
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
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode });
  }

  async read(path: string): Promise<string> {
    return await readFile(join(this.root, path), 'utf8');
  }

  /** Puts a folder of this computer there. */
  async copy(from: string, path: string): Promise<void> {
    await cp(from, join(this.root, path), { recursive: true });
  }

  /** Until systemd answers. */
  async boot(): Promise<void> {
    this.output = '';
    this.cgroups = await makeCgroups(basename(this.root));
    const enter = 'for each in $1; do echo $$ > "$each/cgroup.procs"; done; shift; exec "$@"';
    const child = spawn(
      'sh',
      [
        '-c',
        enter,
        'sh',
        this.cgroups.join(' '),
        this.nspawn,
        '--quiet',
        '--register=no',
        '--keep-unit',
        '--private-network',
        '--link-journal=no',
        '--settings=no',
        `--directory=${this.root}`,
        '--bind-ro=/usr',
        // The units name this path, and another Node may be there.
        `--bind-ro=${process.execPath}:/usr/bin/node`,
        `--bind=${join(this.root, 'local')}:/usr/local/sbin`,
        '--console=pipe',
        '--boot',
        'systemd.unit=multi-user.target',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output = `${this.output}${data}`.slice(-4000);
      });
    }
    for (let tries = 0; tries < 200; tries += 1) {
      if (child.exitCode !== null) break;
      const { text } = await this.run('systemctl', 'is-system-running').catch(() => ({ text: '' }));
      if (/running|degraded/.test(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it does not boot: ${this.output}`);
  }

  /** Runs a program in it, as root. */
  async run(program: string, ...args: string[]): Promise<Output> {
    const leader = await this.leader();
    const enter = [`--target=${leader}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    const env = { PATH: '/usr/sbin:/usr/bin', HOME: '/root' };
    try {
      const { stdout, stderr } = await run('nsenter', [...enter, '--', program, ...args], {
        env,
        timeout: 240_000,
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

  private async leader(): Promise<string> {
    const pid = this.process?.pid;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const [leader] = children.split(' ');
    if (!leader) throw new Error('it is off');
    return leader;
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
    this.process = undefined;
    for (const cgroup of this.cgroups) await removeCgroup(cgroup);
  }

  /** Turns it off, and its disk is gone. */
  async scrap(): Promise<void> {
    await this.cutPower();
    await rm(this.root, { recursive: true, force: true });
  }
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
