/**
 * Computers at one switch, made of network namespaces, on which the program runs that decides who is the jumphost
 * (services/fallback/src/active.ts). Their addresses, link-local ones included, and their multicast are the kernel's.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  machineOf,
  publicRackKey,
  rackKeyFile,
  type Statement,
  signStatement,
  statementFile,
} from '@skolo/rack/jumphost';
import { lacks } from '@skolo/simulators';
import { probe, probeFile } from '../address/probe.ts';

const run = promisify(execFile);
const program = fileURLToPath(
  new URL('../../../../../services/fallback/src/active.ts', import.meta.url),
);
let made = 0;

/** Why there can be none here; undefined where there can. */
export async function whyNoCable(): Promise<string | undefined> {
  const why = lacks('root', 'ip', 'ping', 'ssh', 'sshd');
  if (why !== undefined) return why;
  const name = `skolo-try-${process.pid}`;
  const add = await run('ip', ['netns', 'add', name]).then(
    () => undefined,
    () => 'this kernel lets nobody make network namespaces',
  );
  if (add === undefined) await run('ip', ['netns', 'del', name]);
  return add;
}

/** As far as the program uses it; the journal is a file beside it. */
const journalctl = `#!/bin/sh
[ "$1" = --sync ] && exit
for last; do :; done
cat "\${0%ctl}" 2> /dev/null | grep -E "$last"`;

export class Cable {
  readonly rackKey: string;
  private readonly hub = `skolo-hub-${process.pid}-${++made}`;
  private readonly computers: CableComputer[] = [];

  private constructor(rackKey: string) {
    this.rackKey = rackKey;
  }

  static async make(rackKey: string): Promise<Cable> {
    const cable = new Cable(rackKey);
    await run('ip', ['netns', 'add', cable.hub]);
    await run('ip', ['-n', cable.hub, 'link', 'add', 'br0', 'type', 'bridge']);
    await run('ip', ['-n', cable.hub, 'link', 'set', 'br0', 'up']);
    return cable;
  }

  /** Plugs in a computer. Without an epoch it was never named by a statement, as before the first replacement. */
  async plug(epoch?: number): Promise<CableComputer> {
    const number = this.computers.length + 1;
    const computer = new CableComputer(
      `${this.hub}-${number}`,
      await mkdtemp(join(tmpdir(), 'skolo-cable-')),
    );
    this.computers.push(computer);
    const { name } = computer;
    const end = ['type', 'veth', 'peer', 'name', 'eth0', 'address', computer.mac(number)];
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['-n', this.hub, 'link', 'add', `c${number}`, ...end, 'netns', name]);
    await run('ip', ['-n', this.hub, 'link', 'set', `c${number}`, 'master', 'br0', 'up']);
    // As skolo-active.service does.
    const noTest = 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad';
    await run('ip', ['netns', 'exec', name, 'sh', '-c', noTest]);
    for (const device of ['lo', 'eth0']) await computer.ip('link', 'set', device, 'up');
    await computer.write('/etc/machine-id', `${number}\n`);
    await computer.write(probeFile, probe, 0o755);
    await computer.write(rackKeyFile, publicRackKey(this.rackKey));
    await computer.write('/var/lib/skolo/power-cycle-daemon/.keep', '');
    // Notes what it is told, as systemd would do it.
    await computer.write('/bin/systemctl', '#!/bin/sh\necho "$*" >> "$0.told"\n', 0o755);
    await computer.write('/bin/journalctl', journalctl, 0o755);
    if (epoch !== undefined) {
      await computer.write(statementFile, JSON.stringify(this.statementFor(computer, epoch)));
    }
    return computer;
  }

  statementFor(computer: CableComputer, epoch: number, rackKey = this.rackKey): Statement {
    const number = this.computers.indexOf(computer) + 1;
    return signStatement({ rack: 'rack4', epoch, machine: machineOf(`${number}`) }, rackKey);
  }

  async scrap(): Promise<void> {
    for (const computer of this.computers) await computer.scrap();
    await run('ip', ['netns', 'del', this.hub]);
  }
}

export class CableComputer {
  readonly name: string;
  readonly root: string;
  private readonly running = new Set<ChildProcess>();

  constructor(name: string, root: string) {
    this.name = name;
    this.root = root;
  }

  mac(number: number): string {
    return `02:00:00:00:00:0${number}`;
  }

  /** `ip`, in it. */
  async ip(...args: string[]): Promise<string> {
    return (await run('ip', ['-n', this.name, ...args])).stdout;
  }

  async write(path: string, content: string, mode = 0o644): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, mode);
  }

  /** Undefined where there is none. */
  async read(path: string): Promise<string | undefined> {
    return await readFile(join(this.root, path), 'utf8').catch(() => undefined);
  }

  /** Starts the program. @param patience with a holder of the address that proves nothing, in seconds */
  start(command: 'gate' | 'guard', address: string, patience = 300): Running {
    const args = ['--rack', 'rack4', '--address', address, '--device', 'eth0', '--root', this.root];
    const times = ['--every', '3', '--patience', `${patience}`];
    return this.spawn([process.execPath, program, command, ...args, ...times]);
  }

  /** Runs a program in it. */
  run(...command: string[]): Running {
    return this.spawn(command);
  }

  /** Runs a script of Node in it, which is a module. */
  script(source: string): Running {
    return this.spawn([process.execPath, '--input-type=module', '--eval', source]);
  }

  private spawn(command: readonly string[]): Running {
    const env = { ...process.env, PATH: `${this.root}/bin:${process.env.PATH}` };
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.running.add(child);
    const printed = child.stdout === null ? Promise.resolve('') : text(child.stdout);
    const ended = once(child, 'exit').then(([code]) => {
      this.running.delete(child);
      return Number(code ?? -1);
    });
    return { ended, printed, kill: () => child.kill('SIGKILL') };
  }

  async scrap(): Promise<void> {
    for (const child of this.running) child.kill('SIGKILL');
    await run('ip', ['netns', 'del', this.name]);
    await rm(this.root, { recursive: true, force: true });
  }
}

interface Running {
  /** Its exit code. */
  ended: Promise<number>;
  /** All that it has printed, once it has ended. */
  printed: Promise<string>;
  /** As by kill -9. */
  kill(): void;
}
