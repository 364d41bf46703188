/** Gives a model access to its device: sessions that are opened on first use, one at a time, within one deadline. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { inOrder } from '@skolo/base';
import { secretsOf } from '@skolo/base/secrets';
import { memory, type Share } from '../budget/memory.ts';
import type { Purpose } from '../budget/received.ts';
import type { Dialect } from '../cli/dialect.ts';
import { type Access, type Endpoint, targetOf } from '../endpoint.ts';
import {
  type DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  OutputNotStored,
} from '../errors.ts';
import type {
  CliSession,
  ExecBytes,
  ExecOptions,
  ExecSession,
  RunOptions,
  SessionDeps,
  Target,
} from '../session.ts';
import { quotedCommand, withoutSecrets } from '../stream/redact.ts';
import { DiskFile } from './disk-file.ts';
import { openCli, openExec } from './open.ts';

/**
 * At most one session with the device is open at a time: requesting another kind closes the previous one. All methods throw the
 * DeviceErrors of `@skolo/equipment/transports`.
 */
export interface DeviceConnection {
  readonly device: ConnectedDevice;
  /** The name of its login. */
  username(): Promise<string | undefined>;
  /** Limits work that the caller can do without to half of the time that is left, so that the rest has time, too. */
  briefly<T>(work: () => Promise<T>): Promise<T>;
  /** The command line, signed in, at its privileged prompt. */
  cli(dialect: Dialect): Promise<DeviceCli>;
  /**
   * Runs one command in an ssh exec channel.
   *
   * @throws DeviceRejected, in addition to the others, if its status is neither 0 nor in `accept`
   */
  exec(
    command: string,
    options?: { accept?: readonly number[]; input?: Buffer; purpose?: Purpose },
  ): Promise<Buffer>;
  /** The same for large output: it is written to the caller's file, which is removed after use. */
  execToFile(
    command: string,
    options?: { accept?: readonly number[]; input?: Buffer },
  ): Promise<{ file: string; size: number }>;
  /**
   * Call this before writing what was derived from such a file, whose size the device also determines.
   *
   * @throws DeviceRejected More than `diskBytes` were written because of this device.
   */
  countDisk(bytes: number): void;
  /** Reads a device's file by scp, which announces its size. */
  download(path: string): Promise<Buffer>;
  /** Writes a file to the device by scp, mode 0600. */
  upload(path: string, content: Buffer): Promise<void>;
}

export interface DeviceCli {
  /** Runs one command at the prompt. Returns its answer: bytes, lines separated by `\n`, without echo and prompt. */
  run(command: string): Promise<Buffer>;
  /** The same for a configuration: an empty line confirms that the prompt after it was its end. Adds a final `\n` if missing. */
  read(command: string): Promise<Buffer>;
}

const usualDiskBytes = 2 ** 30;

export interface Connection extends DeviceConnection {
  /** The memory of all that was read. Released by `close`, unless `keepsResults`: then by the caller. */
  readonly results: Share;
  /** Ends the current operation, and signs out. Never throws. */
  close(): Promise<void>;
}

export interface ConnectedDevice extends Endpoint {
  /** `telnet` for telnet; anything else is reached by ssh. */
  transport: string;
}

export interface ConnectionDeps
  extends Access,
    Pick<SessionDeps, 'onTranscript' | 'onConnected' | 'dial' | 'dry'> {
  signal: AbortSignal;
  /** A device that is silent for this long, except while it checks a login, has failed. */
  idleMs: number;
  /** For everything together, from first use. */
  deadlineMs: number;
  keepsResults?: boolean | undefined;
  /** Directory for the files of `execToFile`; created when needed. */
  scratch: string;
  /** Limit for everything that is written to disk because of this device, including what was discarded; default: 1 GiB. */
  diskBytes?: number;
}

type ExecAbout = NonNullable<Parameters<DeviceConnection['exec']>[1]>;

/** @example
 * const connection = openConnection(device, { credentials, hostKeys, signal, idleMs: 30_000, deadlineMs: 300_000, scratch });
 * try {
 *   return await model.read(connection);
 * } finally {
 *   await connection.close();
 * }
 */
export function openConnection(device: ConnectedDevice, deps: ConnectionDeps): Connection {
  return new LazyConnection(device, deps);
}

type Current =
  | { kind: 'cli'; dialect: Dialect; session: CliSession; cli: DeviceCli }
  | { kind: 'exec'; session: ExecSession };

class LazyConnection implements Connection {
  readonly device: ConnectedDevice;
  readonly results: Share;
  private readonly deps: ConnectionDeps;
  private readonly stop = new AbortController();
  private readonly abort: () => void;
  private current: Current | undefined;
  private secrets: string[] = [];
  private endsAt: number | undefined;
  /** The whole time, or that of what is asked briefly. */
  private limitMs: number;
  private diskLeft: number;
  private readonly turns = inOrder();

  constructor(device: ConnectedDevice, deps: ConnectionDeps) {
    this.device = device;
    this.deps = deps;
    this.limitMs = deps.deadlineMs;
    this.diskLeft = this.diskBytes;
    this.results = memory.open(device.name, (why) => this.stop.abort(why));
    this.abort = () => this.stop.abort(deps.signal.reason);
    deps.signal.addEventListener('abort', this.abort, { once: true });
    if (deps.signal.aborted) this.abort();
  }

  async username(): Promise<string | undefined> {
    return (await this.deps.credentials()).username;
  }

  async briefly<T>(work: () => Promise<T>): Promise<T> {
    const half = this.left() / 2;
    const { endsAt, limitMs } = this;
    this.limitMs = Math.round(half);
    this.endsAt = performance.now() + half;
    try {
      return await work();
    } finally {
      Object.assign(this, { endsAt, limitMs });
    }
  }

  cli(dialect: Dialect): Promise<DeviceCli> {
    return this.inTurn(async () => {
      const { current } = this;
      if (current?.kind === 'cli' && current.dialect === dialect && current.session.isOpen()) {
        return current.cli;
      }
      await this.leave();
      const transport = this.device.transport === 'telnet' ? 'telnet' : 'ssh';
      const target = await this.target(transport);
      const { signal } = this.stop;
      const session = await openCli(target, transport, dialect, this.sessionDeps(), signal);
      const cli = this.deviceCli(session);
      this.current = { kind: 'cli', dialect, session, cli };
      return cli;
    });
  }

  async exec(command: string, about: ExecAbout = {}): Promise<Buffer> {
    const { stdout } = await this.run(command, about);
    return this.counted(stdout);
  }

  async execToFile(
    command: string,
    about: ExecAbout = {},
  ): Promise<{ file: string; size: number }> {
    const file = join(this.deps.scratch, randomUUID());
    const disk = new DiskFile(file);
    try {
      const to = await disk.open();
      const { size } = await this.run(command, about, { to, maxBytes: this.diskLeft });
      this.diskLeft -= size;
      return { file, size };
    } catch (error) {
      const isTooMuch = disk.size >= this.diskLeft;
      this.diskLeft -= disk.size;
      await disk.remove();
      if (error !== disk.problem) throw isTooMuch ? this.tooMuch() : error;
      throw new OutputNotStored(this.device.name, this.deps.scratch, error);
    }
  }

  countDisk(bytes: number): void {
    this.diskLeft -= bytes;
    if (this.diskLeft < 0) throw this.tooMuch();
  }

  private get diskBytes(): number {
    return this.deps.diskBytes ?? usualDiskBytes;
  }

  private tooMuch(): DeviceRejected {
    const most = `more than ${Math.round(this.diskBytes / 2 ** 20)} MiB would be written to disk for one reading, including repeated attempts and one file for each hard link`;
    const what = `${most}; exclude files, or raise services.router-backup.maxBytes in rack.yaml`;
    return new DeviceRejected(this.device.name, what);
  }

  download(path: string): Promise<Buffer> {
    return this.inTurn(async () =>
      this.counted(await (await this.execSession()).download(path, this.limits())),
    );
  }

  upload(path: string, content: Buffer): Promise<void> {
    return this.inTurn(async () => (await this.execSession()).upload(path, content, this.limits()));
  }

  async close(): Promise<void> {
    this.deps.signal.removeEventListener('abort', this.abort);
    this.stop.abort(new DeviceUnreachable(this.device.name, 'the connection is closed'));
    await this.turns(async () => undefined);
    await this.leave();
    if (!this.deps.keepsResults) this.results.release();
  }

  private counted(result: Buffer): Buffer {
    this.results.grow(result.length);
    this.results.settle();
    return result;
  }

  private run(
    command: string,
    { accept = [], input, purpose }: ExecAbout,
    where: Pick<ExecOptions, 'to' | 'maxBytes'> = {},
  ): Promise<ExecBytes> {
    return this.inTurn(async () => {
      const session = await this.execSession();
      const options = { ...this.limits(), ...where, input, purpose };
      const result = await session.execBytes(command, options);
      if (result.status !== 0 && !(result.status !== undefined && accept.includes(result.status))) {
        throw this.failed(command, result);
      }
      return result;
    });
  }

  private failed(command: string, { status, stderr, stdout }: ExecBytes): DeviceError {
    const { name } = this.device;
    const what = quotedCommand(command);
    const words = stderr.trim() || stdout.subarray(0, 1000).toString('latin1').trim();
    const said = withoutSecrets(words, this.secrets).replaceAll(/\s+/g, ' ').slice(0, 200);
    const end = said === '' ? '' : `: ${said}`;
    if (status === undefined) {
      const why = 'ended without an exit status, so its output may be incomplete';
      return new DeviceUnreachable(name, `${what} ${why}${end}`);
    }
    return new DeviceRejected(name, `${what} failed with exit status ${status}${end}`);
  }

  private deviceCli(session: CliSession): DeviceCli {
    return {
      run: (command) =>
        this.inTurn(async () => this.counted(await session.runBytes(command, this.limits()))),
      read: (command) =>
        this.inTurn(async () => {
          const answer = this.counted(await session.read(command, this.limits()));
          const isWhole = answer.length === 0 || answer.at(-1) === 0x0a;
          return isWhole ? answer : Buffer.concat([answer, Buffer.from('\n')]);
        }),
    };
  }

  private async execSession(): Promise<ExecSession> {
    const { current } = this;
    if (current?.kind === 'exec' && current.session.isOpen()) return current.session;
    await this.leave();
    if (this.device.transport === 'telnet') {
      const why =
        'file transfers and single commands require SSH, but rack.yaml sets transport: telnet';
      throw new DeviceRejected(this.device.name, why);
    }
    const target = await this.target('ssh');
    const session = await openExec(target, this.sessionDeps(), this.stop.signal);
    this.current = { kind: 'exec', session };
    return session;
  }

  private async leave(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.session.close();
  }

  private async target(transport: 'ssh' | 'telnet'): Promise<Target> {
    const target = await targetOf(this.device, this.deps, transport);
    this.secrets = secretsOf(target.credentials);
    return target;
  }

  private sessionDeps(): SessionDeps {
    const { hostKeys, idleMs, onTranscript, onConnected, dial, dry } = this.deps;
    return { hostKeys, idleMs, onTranscript, onConnected, dial, dry, signInMs: this.left() };
  }

  private limits(): RunOptions {
    const { idleMs } = this.deps;
    return { signal: this.stop.signal, timeoutMs: this.left(), idleMs };
  }

  /** The remaining time. */
  private left(): number {
    this.endsAt ??= performance.now() + this.limitMs;
    const left = this.endsAt - performance.now();
    if (left > 0) return left;
    const what = `the time limit of ${this.limitMs / 1000} s was exceeded`;
    throw new DeviceTimeout(this.device.name, what);
  }

  /** One at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.turns(() => {
      this.stop.signal.throwIfAborted();
      this.left();
      return work();
    });
  }
}
