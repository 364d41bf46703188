/**
 * A Chromebook, or another computer with Linux, behind OpenSSH's server. Commands are carried out by this computer's
 * shell; /etc, /proc and /sys in them are a folder's. A reboot ends the connections, and closes the port until it is back.
 */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publicSshKey } from '../equipment/cli/host-key.ts';
import type { Received } from '../equipment/device.ts';
import { Listener } from '../listener.ts';
import { type RealSshd, type SshEndpoint, startSshd } from '../real/sshd.ts';
import { rebootScript, sessionScript, sshDeviceFiles } from './ssh-device-files.ts';

const sshDeviceFaults = [
  /** Its port is closed. */
  'refuses',
  /** Takes connections and never says a word. */
  'silent',
  /** Lets nobody in. */
  'wrong-key',
  /** It has been installed anew: another host key. */
  'other-host-key',
  /** A command never ends. */
  'hangs',
  /** Half of the answer, then the connection dies. */
  'drops-mid-way',
  /** Answers with bytes that make no sense. */
  'garbage',
  /** Says nothing, with status 0. */
  'empty-answers',
  /** Lines end as those of Windows. */
  'crlf',
  /** `reboot` needs more than this user may. */
  'reboot-rejected',
] as const;
type SshDeviceFault = (typeof sshDeviceFaults)[number];

interface SshDeviceOptions {
  /** `chromeos` when absent. */
  kind?: 'chromeos' | 'linux';
  /** Seconds since it booted; 3600 when absent. */
  uptimeSeconds?: number;
  /** From a reboot until its port is open again; 200 when absent. */
  rebootMs?: number;
  /** More of them, or others: `etc/lsb-release`, `sys/class/…`. */
  files?: Readonly<Record<string, string>>;
}

export interface SshDevice extends SshEndpoint {
  /** What is `/` there. */
  readonly root: string;
  /** Commands, oldest first. */
  readonly received: Received[];
  /** How often it booted, the first time included. */
  readonly boots: number;
  write(path: string, content: string): Promise<void>;
  /** In effect for each session that begins after it. */
  misbehave(fault: SshDeviceFault): Promise<void>;
  /** Ends that fault, or all. */
  behave(fault?: SshDeviceFault): Promise<void>;
  uptimeSeconds(): number;
  /** As if somebody pressed its button. */
  reboot(): Promise<void>;
  close(): Promise<void>;
}

/** Undefined where sshd is not installed. Needs bash. */
export async function startSshDevice(
  options: SshDeviceOptions = {},
): Promise<SshDevice | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-ssh-device-'));
  const device = new Device(folder, options);
  try {
    if (await device.start(options)) return device;
    await device.close();
    return undefined;
  } catch (error) {
    await device.close();
    throw error;
  }
}

class Device implements SshDevice {
  readonly host = '127.0.0.1';
  readonly root: string;
  readonly received: Received[] = [];
  boots = 1;
  private readonly folder: string;
  private readonly rebootMs: number;
  private readonly faults = new Set<SshDeviceFault>();
  private readonly listener = new Listener('127.0.0.1', 0, (socket) => this.lead(socket));
  private readonly control = createServer((socket) => this.hear(socket));
  private readonly sshds: RealSshd[] = [];
  private readonly sessions = new Set<Socket>();
  private bootedAt: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(folder: string, { uptimeSeconds = 3600, rebootMs = 200 }: SshDeviceOptions) {
    this.folder = folder;
    this.root = join(folder, 'root');
    this.rebootMs = rebootMs;
    this.bootedAt = performance.now() - uptimeSeconds * 1000;
  }

  get port(): number {
    return this.listener.port;
  }
  get username(): string {
    return this.sshd().username;
  }
  get privateKey(): string {
    return this.sshd().privateKey;
  }
  get privateKeyFile(): string {
    return this.sshd().privateKeyFile;
  }
  /** Of the first time that it was installed. */
  get hostKey(): string {
    return this.sshd().hostKey;
  }

  async start({ kind = 'chromeos', files: more = {} }: SshDeviceOptions): Promise<boolean> {
    for (const [path, content] of Object.entries({ ...sshDeviceFiles[kind], ...more })) {
      await this.write(path, content);
    }
    await mkdir(join(this.root, 'proc'), { recursive: true });
    await once(this.control.listen(0, '127.0.0.1'), 'listening');
    const address = this.control.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await writeFile(join(this.folder, 'session'), sessionScript(this.folder, port), {
      mode: 0o755,
    });
    await mkdir(join(this.folder, 'bin'));
    await writeFile(join(this.folder, 'bin', 'reboot'), rebootScript(port), { mode: 0o755 });
    await chmod(this.folder, 0o755);
    if (!(await this.install())) return false;
    await this.listener.open();
    return true;
  }

  async write(path: string, content: string): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  async misbehave(fault: SshDeviceFault): Promise<void> {
    this.faults.add(fault);
    if (fault === 'refuses') await this.listener.close();
    if (fault === 'other-host-key') await this.install();
    if (fault === 'wrong-key') await this.letIn('');
  }

  async behave(fault?: SshDeviceFault): Promise<void> {
    const before = new Set(this.faults);
    if (fault === undefined) this.faults.clear();
    else this.faults.delete(fault);
    const hasEnded = (one: SshDeviceFault) => before.has(one) && !this.faults.has(one);
    if (hasEnded('wrong-key')) await this.letIn(publicSshKey(this.privateKey));
    if (hasEnded('refuses')) await this.listener.open();
  }

  uptimeSeconds(): number {
    return (performance.now() - this.bootedAt) / 1000;
  }

  async reboot(): Promise<void> {
    clearTimeout(this.timer);
    await this.listener.close();
    this.timer = setTimeout(() => {
      this.bootedAt = performance.now() - 9000;
      this.boots += 1;
      this.listener.open().catch(() => {});
    }, this.rebootMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.listener.close();
    for (const sshd of this.sshds) await sshd.close();
    for (const socket of this.sessions) socket.destroy();
    if (this.control.listening) await new Promise((resolve) => this.control.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private sshd(): RealSshd {
    const [first] = this.sshds;
    if (!first) throw new Error('it does not run');
    return first;
  }

  /** A server with a host key of its own, into which the same key leads. */
  private async install(): Promise<boolean> {
    const sshd = await startSshd(join(this.folder, 'session'));
    if (sshd === undefined) return false;
    this.sshds.push(sshd);
    await this.letIn(publicSshKey(this.privateKey));
    return true;
  }

  private async letIn(key: string): Promise<void> {
    for (const { privateKeyFile } of this.sshds) {
      await writeFile(join(dirname(privateKeyFile), 'authorized_keys'), `${key}\n`);
    }
  }

  private lead(socket: Socket): void {
    if (this.faults.has('silent')) return;
    const sshd = this.faults.has('other-host-key') ? this.sshds.at(-1) : this.sshd();
    const behind = connect(sshd?.port ?? 0, '127.0.0.1');
    for (const [from, to] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroySoon());
      from.pipe(to);
    }
  }

  /** A session asks how it has to behave, `reboot` whether it may. */
  private hear(socket: Socket): void {
    this.sessions.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sessions.delete(socket));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
      if (!text.endsWith('\0')) return;
      const [what, command = ''] = text.split('\0');
      if (what === 'session') {
        this.received.push({ at: Date.now(), text: command });
        const fault = inSession.find((one) => this.faults.has(one)) ?? 'none';
        socket.write(`${this.uptimeSeconds().toFixed(2)} ${fault}\n`);
      } else if (this.faults.has('reboot-rejected')) {
        socket.write('refused\n');
      } else {
        socket.write('done\n');
        void this.reboot();
      }
    });
  }
}

const inSession: readonly SshDeviceFault[] = [
  'hangs',
  'drops-mid-way',
  'garbage',
  'empty-answers',
  'crlf',
];
