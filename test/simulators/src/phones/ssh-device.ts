/**
 * A Chromebook, or another computer with Linux, behind OpenSSH's server. Commands are carried out by this computer's
 * shell; /etc, /proc and /sys in them are a folder's. A reboot ends the connections, and closes the port until it is back.
 */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publicSshKey } from '../equipment/cli/host-key.ts';
import type { Received } from '../equipment/device.ts';
import { type RealSshd, type SshEndpoint, startSshd } from '../real/sshd.ts';
import { Relay } from '../relay.ts';
import { rebootScript, sessionScript, sshDeviceFiles } from './ssh-device-files.ts';

const sshDeviceFaults = [
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
  /** In front of its SSH server. */
  readonly relay: Relay;
  write(path: string, content: string): Promise<void>;
  /** In effect for each session that begins after it. */
  misbehave(fault: SshDeviceFault): Promise<void>;
  /** Ends all faults, those of the relay included. */
  behave(): Promise<void>;
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
  readonly relay: Relay;
  private readonly folder: string;
  private readonly rebootMs: number;
  private readonly faults = new Set<SshDeviceFault>();
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
    const current = () => (this.faults.has('other-host-key') ? this.sshds.at(-1) : this.sshd());
    this.relay = new Relay({
      get port() {
        return current()?.port ?? 0;
      },
    });
  }

  get port(): number {
    return this.relay.port;
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
    await this.relay.open();
    return true;
  }

  async write(path: string, content: string): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  async misbehave(fault: SshDeviceFault): Promise<void> {
    this.faults.add(fault);
    if (fault === 'other-host-key') await this.install();
    if (fault === 'wrong-key') await this.letIn('');
  }

  async behave(): Promise<void> {
    if (this.faults.has('wrong-key')) await this.letIn(publicSshKey(this.privateKey));
    this.faults.clear();
    this.relay.mend();
    await this.relay.open();
  }

  uptimeSeconds(): number {
    return (performance.now() - this.bootedAt) / 1000;
  }

  async reboot(): Promise<void> {
    clearTimeout(this.timer);
    await this.relay.close();
    this.timer = setTimeout(() => {
      this.bootedAt = performance.now() - 9000;
      this.boots += 1;
      this.relay.open().catch(() => {});
    }, this.rebootMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.relay.close();
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
