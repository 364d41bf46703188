/**
 * Connections over ssh (ssh2 1.17): ends one whose host key has changed, before a password or command is sent. Offers passwords and keys in
 * the order in which a device is least likely to count a failure, and translates every error into one of errors.ts.
 */
import { Socket } from 'node:net';
import { errorText, keyFingerprint } from '@skolo/base';
import { Client, type ClientChannel } from 'ssh2';
import { Intake } from '../budget/intake.ts';
import { newPasswordRequested } from '../cli/password-change.ts';
import {
  DeviceBusy,
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  type HostKeyChanged,
} from '../errors.ts';
import { keyChanged } from '../host-keys.ts';
import type { SessionDeps, Target } from '../session.ts';
import { dialed } from '../stream/dial.ts';
import {
  connectLimit,
  type IdleTimer,
  type Limit,
  loginLimit,
  withinLimit,
} from '../stream/limit.ts';
import {
  type Terminal,
  type TerminalListener,
  terminalSize,
  terminalType,
} from '../stream/terminal.ts';
import { algorithms, legacyOf } from './algorithms.ts';
import { authentication } from './authentication.ts';
import { connectionLost, sshError } from './errors.ts';
import { limitGroupExchange } from './group-exchange.ts';

const keepaliveMs = 10_000;
const goodByeMs = 500;

export interface SshConnection {
  readonly intake: Intake;
  /** A terminal; the connection ends with it. DeviceBusy if the device has no free session for one. */
  shell(limit: Limit): Promise<Terminal>;
  /** A channel that runs one command. */
  exec(command: string, limit: Limit): Promise<ClientChannel>;
  /** Whether the device has accepted a password or key; some let anybody in, and ask in the terminal. */
  hasSignedIn(): boolean;
  /** Undefined while it is up. */
  ended(): DeviceError | undefined;
  /** Called once when it ends, immediately if it already has; returns a function that removes the listener. */
  onEnd(listener: (why: DeviceError) => void): () => void;
  /** Disconnects from the device. */
  close(): void;
  /** Resolves soon after the end, when it is completely closed. */
  gone(): Promise<void>;
}

/** @throws DeviceUnreachable, DeviceTimeout, DeviceRejected, SignInRejected, HostKeyChanged */
export async function connectSsh(
  target: Target,
  deps: SessionDeps,
  limit: Limit,
): Promise<SshConnection> {
  const sock = deps.dial && (await dialed(target, deps.dial, connectLimit(limit)));
  const connection = new Connection(target, deps, sock);
  await connection.open(limit);
  return connection;
}

/** An ssh2 client, which ends once, for one reason. */
class Connection implements SshConnection {
  readonly intake: Intake;
  private readonly target: Target;
  private readonly deps: SessionDeps;
  private readonly client = new Client();
  private readonly socket: Socket;
  private readonly hostKey: HostKeyCheck;
  private readonly closed: Promise<void>;
  /** The credentials that were offered, in words. */
  private readonly offered: string[] = [];
  private readonly listeners = new Set<(why: DeviceError) => void>();
  private why: DeviceError | undefined;
  /** What is being waited for, for errors. */
  private stage: string;

  /** @param sock connected; default: a new one */
  constructor(target: Target, deps: SessionDeps, sock = new Socket()) {
    const { client } = this;
    this.target = target;
    this.deps = deps;
    this.socket = sock;
    // ssh2 resumes it when it has added its listener.
    this.intake = new Intake(target.name, sock.pause(), (why) => this.end(why));
    this.stage = `connection to ${target.address}:${target.port}`;
    this.hostKey = new HostKeyCheck(target, deps);
    this.closed = new Promise((resolve) => client.once('close', () => resolve()));
    // For the client's whole lifetime: ssh2 may emit several errors, even long after the first.
    client.on('error', (error) => this.end(this.hostKey.rejection ?? sshError(target, error)));
    client.on('close', () => this.end(connectionLost(target)));
    // SSH_MSG_USERAUTH_PASSWD_CHANGEREQ; ssh2 would wait for an answer.
    client.on('change password', () => this.end(newPasswordRequested(target.name)));
  }

  async open(limit: Limit): Promise<void> {
    const { target } = this;
    const late = (how: string) => new DeviceTimeout(target.name, `no ${this.stage}${how}`);
    try {
      await withinLimit<void>(connectLimit(limit), late, (resolve, reject, idle) => {
        this.client.once('handshake', () => resolve());
        const stop = this.onEnd(reject);
        this.connect(idle);
        return stop;
      });
      await withinLimit<void>(loginLimit(limit), late, (resolve, reject) => {
        this.client.once('ready', () => resolve());
        return this.onEnd(reject);
      });
      await this.hostKey.pin();
    } catch (error) {
      this.end(error instanceof DeviceError ? error : connectionLost(target, error));
      throw error;
    }
  }

  hasSignedIn(): boolean {
    return this.offered.length > 0;
  }

  ended(): DeviceError | undefined {
    return this.why;
  }

  onEnd(listener: (why: DeviceError) => void): () => void {
    if (this.why !== undefined) listener(this.why);
    else this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async shell(within: Limit): Promise<Terminal> {
    const { columns: cols, rows } = terminalSize;
    const window = { cols, rows, term: terminalType };
    const channel = await this.answered<ClientChannel>('shell', within, (done) =>
      this.client.shell(window, done),
    );
    return new SshTerminal(channel, this, () => connectionLost(this.target));
  }

  exec(command: string, within: Limit): Promise<ClientChannel> {
    return this.answered<ClientChannel>('channel for the command', within, (done) =>
      this.client.exec(command, done),
    );
  }

  close(): void {
    this.end(connectionLost(this.target), true);
  }

  gone(): Promise<void> {
    return this.closed;
  }

  private connect(idle: IdleTimer): void {
    const { client, socket, target, deps } = this;
    const { name, address: host, port, credentials } = target;
    client.on('connect', () => {
      // A command is a small packet that waits for its answer: Nagle's algorithm would add 40 ms to each.
      client.setNoDelay(true);
      // Of TCP, while nothing arrives: some devices do not answer, or even reject, those of SSH.
      socket.setKeepAlive(true, keepaliveMs);
      idle.received();
      this.stage = 'ssh handshake';
    });
    client.once('handshake', (agreed) => {
      this.stage = 'response to the sign-in';
      const legacyAlgorithms = legacyOf(agreed);
      const legacy = legacyAlgorithms.length > 0;
      const { kex, cs } = agreed;
      deps.onConnected?.({ device: name, kex, cipher: cs.cipher, legacy, legacyAlgorithms });
    });
    if (deps.dial === undefined) socket.connect({ host, port });
    client.connect({
      sock: socket,
      username: credentials.username ?? '',
      readyTimeout: 0,
      // Some devices ignore keepalives of SSH; the socket has those of TCP.
      keepaliveInterval: 0,
      algorithms: algorithms(credentials.legacySsh),
      hostVerifier: (key: Buffer) => this.hostKey.check(key),
      authHandler: authentication(target, this.offered, (error) => this.end(error)),
    });
    limitGroupExchange(client, target);
  }

  private end(error: DeviceError, isPolite = false): void {
    if (this.why !== undefined) return;
    this.why = error;
    if (isPolite) {
      this.client.end();
      setTimeout(() => this.client.destroy(), goodByeMs).unref();
    } else {
      this.client.destroy();
    }
    for (const listener of [...this.listeners]) listener(error);
    this.listeners.clear();
  }

  /** Waits for an ssh2 callback. */
  private answered<T>(
    what: string,
    within: Limit,
    ask: (done: (error: Error | undefined, value: T) => void) => void,
  ): Promise<T> {
    const { name } = this.target;
    const late = (how: string) => new DeviceTimeout(name, `no ${what}${how}`);
    return withinLimit(within, late, (resolve, reject) => {
      const stop = this.onEnd(reject);
      const failed = (error: unknown) => reject(noChannel(name, error));
      try {
        ask((error, value) => (error ? failed(error) : resolve(value)));
      } catch (error) {
        failed(error);
      }
      return stop;
    });
  }
}

class HostKeyCheck {
  rejection: HostKeyChanged | undefined;
  private readonly target: Target;
  private readonly deps: SessionDeps;
  private shown: string | undefined;

  constructor(target: Target, deps: SessionDeps) {
    this.target = target;
    this.deps = deps;
  }

  check(key: Buffer): boolean {
    const { name, hostKey } = this.target;
    this.shown = keyFingerprint(key);
    const pinned = (hostKey ?? this.deps.hostKeys.get(name))?.replace(/=+$/, '');
    if (pinned === undefined || pinned === this.shown) return true;
    const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
    this.rejection = keyChanged(this.target, `the host key (${type})`, this.shown, pinned);
    return false;
  }

  /** After a successful sign-in: a mistyped address must not become the trusted one. */
  async pin(): Promise<void> {
    const { name, hostKey } = this.target;
    if (hostKey !== undefined || this.shown === undefined) return;
    await this.deps.hostKeys.pin(name, this.shown);
  }
}

class SshTerminal implements Terminal {
  readonly intake: Intake;
  private readonly channel: ClientChannel;
  private readonly connection: SshConnection;
  /** Why the channel ended. */
  private readonly lost: () => DeviceError;
  private stopListening = () => {};

  constructor(channel: ClientChannel, connection: SshConnection, lost: () => DeviceError) {
    this.channel = channel;
    this.connection = connection;
    this.intake = connection.intake;
    this.lost = lost;
    channel.on('error', () => undefined);
  }

  listen(listener: TerminalListener): void {
    let heard = false;
    const end = (why: DeviceError) => {
      if (heard) return;
      heard = true;
      listener.end(why);
    };
    this.channel.on('data', (bytes: Buffer) => listener.data(bytes));
    this.channel.stderr.on('data', (bytes: Buffer) => listener.data(bytes));
    for (const last of ['end', 'close']) this.channel.on(last, () => end(this.lost()));
    this.stopListening = this.connection.onEnd(end);
  }

  write(text: string): void {
    if (this.channel.writable) this.channel.write(text, 'latin1');
  }

  destroy(): void {
    for (const event of ['data', 'end', 'close']) this.channel.removeAllListeners(event);
    this.channel.stderr.removeAllListeners('data');
    this.stopListening();
    this.channel.close();
    this.connection.close();
  }

  gone(): Promise<void> {
    return this.connection.gone();
  }
}

function noChannel(device: string, cause: unknown): DeviceError {
  const text = errorText(cause);
  // It opened a channel, but does not run commands in channels: most switches only have a shell.
  if (text === 'Unable to exec') {
    return new DeviceRejected(device, 'does not accept commands over SSH, only a terminal', {
      cause,
    });
  }
  return new DeviceBusy(device, `rejected the SSH session: ${text}`, { cause });
}
