/**
 * Connections over ssh (ssh2 1.17). The host key is always checked, passwords and keys are offered in the order in which
 * a device is least likely to count a failure, and every error becomes one of errors.ts.
 */
import { errorText } from '@skolo/base';
import { Client, type ClientChannel } from 'ssh2';
import { newPasswordRequested } from '../cli/password-change.ts';
import {
  DeviceBusy,
  DeviceError,
  DeviceRefused,
  DeviceTimeout,
  type HostKeyChanged,
} from '../errors.ts';
import { fingerprintOf, keyChanged } from '../host-keys.ts';
import { dialed } from '../session/dial.ts';
import type { SessionDeps, Target } from '../session/session.ts';
import { type Limit, settle } from '../stream/settle.ts';
import {
  type Terminal,
  type TerminalListener,
  terminalSize,
  terminalType,
} from '../stream/terminal.ts';
import { algorithms, legacyOf } from './algorithms.ts';
import { authentication } from './authentication.ts';
import { connectionLost, sshError } from './errors.ts';

const keepaliveMs = 10_000;
const goodByeMs = 500;

export interface SshConnection {
  /** A terminal, with which the connection ends. DeviceBusy when the device has no session left for one. */
  shell(limit: Limit): Promise<Terminal>;
  /** A channel that runs one command. */
  exec(command: string, limit: Limit): Promise<ClientChannel>;
  /** Undefined while it is up. */
  ended(): DeviceError | undefined;
  /** Told once when it ends, at once if it has; gives what takes the listener away. */
  onEnd(listener: (why: DeviceError) => void): () => void;
  /** Says good-bye to the device. */
  close(): void;
  /** Fulfilled once nothing is left of it, soon after its end. */
  gone(): Promise<void>;
}

/** @throws DeviceUnreachable, DeviceTimeout, DeviceRefused, SignInRefused, HostKeyChanged */
export async function connectSsh(
  target: Target,
  deps: SessionDeps,
  limit: Limit,
): Promise<SshConnection> {
  const { name, address, port, credentials } = target;
  const sock = deps.dial && (await dialed(target, deps.dial, limit));
  const client = new Client();
  const listeners = new Set<(why: DeviceError) => void>();
  const hostKey = new HostKeyCheck(target, deps);
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  let stage = `connection to ${address}:${port}`;
  let why: DeviceError | undefined;

  function end(error: DeviceError, isPolite = false) {
    if (why !== undefined) return;
    why = error;
    if (isPolite) {
      client.end();
      setTimeout(() => client.destroy(), goodByeMs).unref();
    } else {
      client.destroy();
    }
    for (const listener of [...listeners]) listener(error);
    listeners.clear();
  }

  // For the whole life of the client: ssh2 may emit several errors, also long after the first.
  client.on('error', (error) => end(hostKey.refusal ?? sshError(target, error)));
  client.on('close', () => end(connectionLost(target)));
  // SSH_MSG_USERAUTH_PASSWD_CHANGEREQ; ssh2 would wait for an answer.
  client.on('change password', () => end(newPasswordRequested(name)));

  function onEnd(listener: (why: DeviceError) => void) {
    if (why !== undefined) listener(why);
    else listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Waits for a callback of ssh2. */
  function answered<T>(
    what: string,
    within: Limit,
    ask: (done: (error: Error | undefined, value: T) => void) => void,
  ): Promise<T> {
    const late = (how: string) => new DeviceTimeout(name, `no ${what}${how}`);
    return settle(within, late, (resolve, reject) => {
      const stop = onEnd(reject);
      const failed = (error: unknown) => reject(noChannel(name, error));
      try {
        ask((error, value) => (error ? failed(error) : resolve(value)));
      } catch (error) {
        failed(error);
      }
      return stop;
    });
  }

  try {
    await settle<void>(
      limit,
      (how) => new DeviceTimeout(name, `no ${stage}${how}`),
      (resolve, reject, idle) => {
        const stop = onEnd(reject);
        client.on('connect', () => {
          // A command is a small packet that waits for its answer: Nagle would cost 40 ms for each.
          client.setNoDelay(true);
          idle.received();
          stage = 'ssh handshake';
        });
        client.once('handshake', (agreed) => {
          idle.received();
          stage = 'answer to the sign-in';
          const facts = { device: name, kex: agreed.kex, cipher: agreed.cs.cipher };
          const legacyAlgorithms = legacyOf(agreed);
          const legacy = legacyAlgorithms.length > 0;
          deps.onConnected?.({ ...facts, legacy, legacyAlgorithms });
        });
        client.on('ready', () => resolve());
        client.connect({
          ...(sock ? { sock } : { host: address, port }),
          username: credentials.username ?? '',
          readyTimeout: 0,
          keepaliveInterval: keepaliveMs,
          keepaliveCountMax: 3,
          algorithms: algorithms(credentials.legacySsh),
          hostVerifier: (key: Buffer) => hostKey.check(key),
          authHandler: authentication(target, (error) => end(error)),
        });
        return stop;
      },
    );
    await hostKey.pin();
  } catch (error) {
    end(error instanceof DeviceError ? error : connectionLost(target, error));
    throw error;
  }

  const close = () => end(connectionLost(target), true);
  return {
    ended: () => why,
    onEnd,
    async shell(within) {
      const { columns: cols, rows } = terminalSize;
      const window = { cols, rows, term: terminalType };
      const channel = await answered<ClientChannel>('shell', within, (done) =>
        client.shell(window, done),
      );
      return new SshTerminal(channel, { onEnd, gone, close, ended: () => connectionLost(target) });
    },
    exec: (command, within) =>
      answered<ClientChannel>('channel for the command', within, (done) =>
        client.exec(command, done),
      ),
    close,
    gone: () => gone,
  };
}

/** Is it the key that is pinned, in rack.yaml before all? */
class HostKeyCheck {
  refusal: HostKeyChanged | undefined;
  private readonly target: Target;
  private readonly deps: SessionDeps;
  private shown: string | undefined;

  constructor(target: Target, deps: SessionDeps) {
    this.target = target;
    this.deps = deps;
  }

  check(key: Buffer): boolean {
    const { name, hostKey } = this.target;
    this.shown = fingerprintOf(key);
    const pinned = (hostKey ?? this.deps.hostKeys.get(name))?.replace(/=+$/, '');
    if (pinned === undefined || pinned === this.shown) return true;
    const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
    this.refusal = keyChanged(this.target, `its host key (${type})`, this.shown, pinned);
    return false;
  }

  /** Once it has let us in: a mistyped address must not become what is believed. */
  async pin(): Promise<void> {
    const { name, hostKey } = this.target;
    if (hostKey !== undefined || this.shown === undefined) return;
    await this.deps.hostKeys.pin(name, this.shown);
  }
}

interface TerminalConnection {
  onEnd: SshConnection['onEnd'];
  gone: Promise<void>;
  close: SshConnection['close'];
  /** Why there is no more of the channel. */
  ended: () => DeviceError;
}

class SshTerminal implements Terminal {
  private readonly channel: ClientChannel;
  private readonly connection: TerminalConnection;
  private stopListening = () => {};

  constructor(channel: ClientChannel, connection: TerminalConnection) {
    this.channel = channel;
    this.connection = connection;
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
    for (const last of ['end', 'close']) this.channel.on(last, () => end(this.connection.ended()));
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
    return this.connection.gone;
  }
}

function noChannel(device: string, cause: unknown): DeviceError {
  const text = errorText(cause);
  // It opened a channel, and does not run commands in channels: most switches have only a shell.
  if (text === 'Unable to exec') {
    return new DeviceRefused(device, 'takes no commands over ssh, only a terminal', { cause });
  }
  return new DeviceBusy(device, `gives no session: ${text}`, { cause });
}
