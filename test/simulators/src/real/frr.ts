/**
 * FRRouting itself behind OpenSSH's server: its daemons, with sockets and files in a temporary folder, and vtysh as what
 * one gets who signs in.
 *
 * As root: zebra, staticd, bgpd and ospfd in a network namespace of their own, so nothing of the computer's network is
 * touched. As somebody else, who must be in group frrvty: staticd alone, which needs neither.
 */
import { execFile, execFileSync } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { peer } from '../peer.ts';
import { Process } from '../process.ts';
import { type SshEndpoint, startSshd } from './sshd.ts';

const run = promisify(execFile);

export interface FrrOptions {
  /** frr.conf that the daemons start with. */
  configuration?: string;
  /** Of the system, which is also that of the configuration and the prompt; root only. Default `frr-1`. */
  hostname?: string;
  /**
   * What one gets who signs in: `vtysh`, or a `shell` of a host where vtysh is a program and `/etc/frr` is this router's
   * (root only, as it takes a mount namespace).
   */
  account?: 'vtysh' | 'shell';
  /**
   * watchfrr, as FRR's own start has it, but it restarts nothing; root only. It would save to this computer's own files, so nothing can be
   * saved.
   */
  isWatched?: boolean;
}

const frrFaults = ['cut', 'dies-configuring', 'rejected', 'empty', 'hangs', 'no-commands'] as const;
/**
 * - `cut`: the connection dies in the middle of the answer
 * - `dies-configuring`: once, the connection dies when the device has heard what it is to be configured with. It goes on with
 *   that, and the next session begins behind it
 * - `rejected`: `% Authorization failed` is all that it says, with status 0
 * - `empty`: it says nothing, with status 0
 * - `hangs`: half of the answer, then silence
 * - `no-commands`: a command is ignored; there is only the command line, in a terminal
 */
type FrrFault = (typeof frrFaults)[number];

export interface Frr extends SshEndpoint {
  /** Where frr.conf is. */
  dir: string;
  daemons: readonly string[];
  /** What vtysh says to these commands, past sshd. */
  vtysh(...commands: string[]): Promise<string>;
  /** From the next session on. */
  setFault(fault: FrrFault | undefined): Promise<void>;
  /** As if it was switched off and on: it comes up with frr.conf. */
  restart(): Promise<void>;
  /** Ends a daemon, or `watchfrr`, and waits until watchfrr, if it runs, knows. Root only. */
  kill(daemon: string): Promise<void>;
  close(): Promise<void>;
}

/** Undefined where FRR or sshd are not installed, or this user may not run them. */
export async function startFrr(options: FrrOptions = {}): Promise<Frr | undefined> {
  const staticd = peer('frr');
  if (staticd === undefined || peer('sshd') === undefined) return undefined;
  const asRoot = process.getuid?.() === 0 && mayUnshare();
  if (!asRoot && (options.account === 'shell' || !idOf('-Gn').split(' ').includes('frrvty')))
    return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'skolo-frr-'));
  await writeFile(join(dir, 'frr.conf'), options.configuration ?? '', { mode: 0o640 });
  await writeFile(join(dir, 'vtysh.conf'), 'service integrated-vtysh-config\n', { mode: 0o644 });
  if (asRoot) execFileSync('chown', ['-R', 'frr:frr', dir]);
  const router = new Router(
    dir,
    dirname(staticd),
    asRoot ? (options.hostname ?? 'frr-1') : undefined,
    options.isWatched ?? false,
  );
  try {
    await router.start();
    const sshd = await startSshd(await router.writeSession(options.account ?? 'vtysh'));
    if (sshd === undefined) throw new Error('sshd is gone');
    return {
      ...sshd,
      dir,
      daemons: router.daemons,
      vtysh: (...commands) => router.vtysh(commands),
      setFault: (fault) => writeFile(join(dir, 'fault'), fault ?? ''),
      async restart() {
        await router.stop();
        await router.start();
      },
      kill: (daemon) => router.kill(daemon),
      async close() {
        await sshd.close();
        await router.close();
      },
    };
  } catch (error) {
    await router.close();
    throw error;
  }
}

class Router {
  readonly daemons: readonly string[];
  private readonly dir: string;
  private readonly programs: string;
  /** Undefined where namespaces are not allowed. */
  private readonly hostname: string | undefined;
  private readonly isWatched: boolean;
  /** Does nothing but have the namespaces, and end the daemons when we are gone. */
  private holder: Process | undefined;
  private running: Process[] = [];

  constructor(dir: string, programs: string, hostname: string | undefined, isWatched: boolean) {
    this.isWatched = isWatched;
    this.dir = dir;
    this.programs = programs;
    this.hostname = hostname;
    this.daemons = hostname !== undefined ? ['zebra', 'staticd', 'bgpd', 'ospfd'] : ['staticd'];
  }

  async start(): Promise<void> {
    if (this.hostname !== undefined) this.holder ??= await this.holdNamespaces(this.hostname);
    await mkdir(this.sockets());
    if (this.holder) execFileSync('chown', ['frr:frr', this.sockets()]);
    const [first = '', ...others] = this.daemons;
    await this.startDaemon(first);
    await Promise.all(others.map((daemon) => this.startDaemon(daemon)));
    // As FRR's own start does: the file goes through vtysh, which knows whose line is whose. Lines that it rejects are
    // left out, as there.
    await run(...this.inside('vtysh', [...this.options(), '-b'])).catch(() => undefined);
    if (this.holder && this.isWatched) await this.startWatchfrr();
  }

  async kill(daemon: string): Promise<void> {
    const pid = await readFile(join(this.sockets(), `${daemon}.pid`), 'utf8');
    process.kill(Number(pid), 'SIGKILL');
    await this.holder?.until(`the end of ${daemon}`, async () => {
      const watched = await this.watched();
      if (watched !== '') return new RegExp(`^ {2}${daemon} +Down$`, 'm').test(watched);
      return !(await this.vtysh(['show daemons'])).split(/\s+/).includes(daemon);
    });
  }

  async stop(): Promise<void> {
    for (const process of this.running.splice(0).reverse()) await process.stop();
    await rm(this.sockets(), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.stop();
    await this.holder?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  async vtysh(commands: readonly string[]): Promise<string> {
    const args = [...this.options(), ...commands.flatMap((command) => ['-c', command])];
    return (await run(...this.inside('vtysh', args))).stdout;
  }

  /** What is run for each session. */
  async writeSession(account: 'vtysh' | 'shell'): Promise<string> {
    const { dir } = this;
    const line = ([program, args]: [string, string[]]) => [program, ...args].join(' ');
    const vtysh = line(this.inside('vtysh', this.options()));
    const terminal = account === 'vtysh' ? vtysh : line(this.inside('sh', []));
    await mkdir(join(dir, 'bin'));
    const options = this.options().join(' ');
    await writeFile(join(dir, 'bin', 'vtysh'), `#!/bin/sh\nexec /usr/bin/vtysh ${options} "$@"\n`, {
      mode: 0o755,
    });
    const session = `#!/bin/sh
export VTYSH_HISTFILE=/dev/null HOME=${dir} PATH=${account === 'shell' ? `${dir}/bin:` : ''}$PATH
# On a busy computer it takes its time with what was typed in a session that died; who signs in then must not overtake it.
while [ -e ${dir}/configuring ]; do sleep 0.1; done
fault=$(cat ${dir}/fault 2>/dev/null)
half() {
  ${terminal} -c "$SSH_ORIGINAL_COMMAND" > ${dir}/answer
  head -c $(($(wc -c < ${dir}/answer) / 2)) ${dir}/answer
}
case "$fault" in
rejected) echo '% Authorization failed'; exit 0 ;;
empty) exit 0 ;;
esac
if [ -z "$SSH_ORIGINAL_COMMAND" ]; then exec ${terminal}; fi
case "$fault" in
# What it has passes through sshd, which takes its time on a busy computer.
cut) half; sleep 1; kill -9 $PPID ;;
dies-configuring)
  case "$SSH_ORIGINAL_COMMAND" in
  conf*|*'vtysh -f'*)
    touch ${dir}/configuring
    rm ${dir}/fault
    kill -9 $PPID
    ${terminal} -c "$SSH_ORIGINAL_COMMAND"
    rm ${dir}/configuring
    exit ;;
  esac
  exec ${terminal} -c "$SSH_ORIGINAL_COMMAND" ;;
hangs) half; exec sleep 20 ;;
no-commands) exec ${terminal} < /dev/null ;;
*) exec ${terminal} -c "$SSH_ORIGINAL_COMMAND" ;;
esac
`;
    await writeFile(join(dir, 'session'), session, { mode: 0o755 });
    return join(dir, 'session');
  }

  private sockets(): string {
    return join(this.dir, 'run');
  }

  private options(): string[] {
    return ['--vty_socket', this.sockets(), '--config_dir', this.dir];
  }

  private async holdNamespaces(hostname: string): Promise<Process> {
    const held = join(this.dir, 'held');
    // FRR leaves a folder for each process in /var/tmp/frr. When whoever started this is gone, the daemons are ended.
    const script = `
      mkdir -p ${this.dir}/tmp /var/tmp/frr && chown frr ${this.dir}/tmp &&
      mount --bind ${this.dir}/tmp /var/tmp/frr && mount --bind ${this.dir} /etc/frr &&
      mkdir -p ${this.dir}/started /var/run/frr && mount --bind ${this.dir}/started /var/run/frr &&
      ip link set lo up && hostname ${hostname} && touch ${held} && read -r _
      for file in ${this.sockets()}/*.pid; do kill -9 "$(cat "$file")"; done`;
    const holder = new Process('unshare', ['-nmu', 'sh', '-c', script]);
    await holder.until('making namespaces', () => exists(held));
    return holder;
  }

  private async startDaemon(daemon: string): Promise<void> {
    const user = this.holder ? [] : ['-u', idOf('-un'), '-g', idOf('-gn')];
    const process = new Process(
      ...this.inside(join(this.programs, daemon), [
        ...['-f', '/dev/null', '--vty_socket', this.sockets(), '-P', '0', ...user],
        ...['-z', join(this.sockets(), 'zserv.api'), '-i', join(this.sockets(), `${daemon}.pid`)],
        ...(daemon === 'bgpd' ? ['-p', '0'] : []),
      ]),
    );
    this.running.push(process);
    const ask = this.inside('vtysh', [...this.options(), '-d', daemon, '-c', 'show version']);
    const socket = join(this.sockets(), `${daemon}.vty`);
    await process.until('its socket', () => exists(socket));
    await process.until('its answer', () =>
      run(...ask).then(
        ({ stdout }) => stdout.includes('FRRouting'),
        () => false,
      ),
    );
  }

  /** Without a vty of its own, it would be that of this computer's FRR. It looks every second, and only tells. */
  private async startWatchfrr(): Promise<void> {
    const pid = join(this.sockets(), 'watchfrr.pid');
    const about = ['-S', this.sockets(), '--vty_socket', this.sockets(), '-p', pid];
    const command = [...about, '-i', '1', '--dry', ...this.daemons];
    const watchfrr = new Process(...this.inside(join(this.programs, 'watchfrr'), command));
    this.running.push(watchfrr);
    const up = (text: string) => (text.match(/^ {2}\S+ +Up$/gm) ?? []).length;
    await watchfrr.until(
      'all daemons',
      async () => up(await this.watched()) === this.daemons.length,
    );
  }

  /** Nothing where watchfrr does not run. */
  private async watched(): Promise<string> {
    return await this.vtysh(['show watchfrr']).catch(() => '');
  }

  private inside(program: string, args: readonly string[]): [string, string[]] {
    if (this.holder === undefined) return [program, [...args]];
    return ['nsenter', ['-t', String(this.holder.pid), '-n', '-m', '-u', program, ...args]];
  }
}

function mayUnshare(): boolean {
  try {
    execFileSync('unshare', ['-nmu', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function idOf(what: '-un' | '-gn' | '-Gn'): string {
  return execFileSync('id', [what]).toString().trim();
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
