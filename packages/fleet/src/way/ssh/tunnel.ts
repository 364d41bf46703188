/** One SSH connection (tunnel) to a rack, and the pauses before it reconnects when it drops; it forwards to addresses behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { orAborted, pause } from '@skolo/base';
import { FleetError } from '../../errors.ts';
import { runToEnd } from '../../program.ts';
import type { Way } from '../../racks/clusters.ts';
import type { Guardian } from '../local/guardian.ts';
import { clientArguments, masterArguments, wayName } from './ssh.ts';
import { noWay, sshFailure } from './ssh-failure.ts';

interface TunnelDeps {
  /** Name of the rack, for messages. */
  name: string;
  /** At least one, in the order to try. */
  ways: readonly Way[];
  guardian: Guardian;
  /** Environment of the programs: PATH, and variables that ssh requires. */
  env: NodeJS.ProcessEnv;
  /** ssh may ask for a passphrase or a host key, the first time. Needs a terminal. */
  mayAsk: boolean;
  /** Called for every connection after the first one. */
  onConnected(way: Way): void;
  /** A host failed during the first connection, and the next one is tried. */
  onNextWay?: ((error: Error) => void) | undefined;
  /** A connection dropped or could not be opened. It is retried. */
  onLost(error: Error): void;
}

interface Connection {
  way: Way;
  master: ChildProcess;
  control: string;
  /** Sockets of forwards, by `host:port`. */
  forwards: Map<string, Promise<string>>;
  ended: Promise<FleetError>;
}

const firstPauseMs = 200;
/** A rebooted jumphost is reached again within seconds, because ssh itself waits 10 s for a response. */
const longestPauseMs = 3_000;

export class Tunnel {
  private readonly deps: TunnelDeps;
  private readonly closing = new AbortController();
  /** The connection, or the wait for the next one. */
  private current: Promise<Connection>;
  private master: ChildProcess | undefined;
  private supervised: Promise<void> = Promise.resolve();
  private lastError: Error | undefined;

  constructor(deps: TunnelDeps) {
    this.deps = deps;
    this.current = Promise.reject(new Error('the tunnel has not started'));
    this.current.catch(() => {});
  }

  /** The first connection. @throws FleetError None of the hosts works. */
  async start(signal: AbortSignal): Promise<Way> {
    const stop = () => {
      this.closing.abort();
      // Not SIGKILL, because ssh may have turned off the terminal's echo for a passphrase.
      this.master?.kill('SIGTERM');
    };
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      // Each host may take ten seconds, so its failure is reported before the next one is tried.
      const connection = await this.connectOnce(this.deps.mayAsk, (failure, next) => {
        const text = `${this.deps.name}: ${failure.message}; trying ${wayName(next)}`;
        this.deps.onNextWay?.(new FleetError(text));
      });
      this.current = Promise.resolve(connection);
      this.supervised = this.supervise(connection);
      return connection.way;
    } finally {
      signal.removeEventListener('abort', stop);
      signal.throwIfAborted();
    }
  }

  /**
   * A connection to an address, as seen from the jumphost. Waits for the next SSH connection if there is none.
   *
   * @throws Error It was not connected before the signal; the message contains the reason.
   */
  async open(host: string, port: number, signal: AbortSignal): Promise<Socket> {
    for (;;) {
      const connection = await this.connection(signal);
      const socket = await this.dial(connection, host, port);
      if (socket) return socket;
      // ssh is about to exit, or does not respond.
      connection.master.kill('SIGKILL');
      await connection.ended;
    }
  }

  /**
   * The arguments of ssh for a command on the jumphost, or for `-t` and a shell, through this connection.
   *
   * @throws Error As `open`.
   */
  async sshArguments(signal: AbortSignal): Promise<string[]> {
    const { way, control } = await this.connection(signal);
    return clientArguments(way, control);
  }

  async close(): Promise<void> {
    this.closing.abort();
    const { master } = this;
    if (master && master.exitCode === null && master.signalCode === null) {
      const ended = once(master, 'exit');
      master.kill('SIGKILL');
      await ended;
    }
    await this.supervised;
  }

  private async connection(signal: AbortSignal): Promise<Connection> {
    try {
      return await orAborted(this.current, signal);
    } catch (error) {
      throw signal.aborted && this.lastError ? this.lastError : error;
    }
  }

  private async supervise(first: Connection): Promise<void> {
    const { signal } = this.closing;
    let connection = first;
    for (;;) {
      const reason = await connection.ended;
      const next = Promise.withResolvers<Connection>();
      next.promise.catch(() => {});
      this.current = next.promise;
      if (!signal.aborted) this.report(reason);
      const found = await this.reconnect();
      if (found === undefined)
        return next.reject(new Error(`the connection to ${this.deps.name} is closed`));
      connection = found;
      next.resolve(found);
    }
  }

  /** Undefined when the tunnel is closed. */
  private async reconnect(): Promise<Connection | undefined> {
    const { signal } = this.closing;
    for (let ms = firstPauseMs; !signal.aborted; ms = Math.min(2 * ms, longestPauseMs)) {
      // Jitter, because all tunnels of a workstation drop at the same moment.
      await pause(ms * (0.5 + Math.random() / 2), signal).catch(() => {});
      if (signal.aborted) break;
      try {
        const connection = await this.connectOnce(false);
        this.lastError = undefined;
        this.deps.onConnected(connection.way);
        return connection;
      } catch (error) {
        if (!signal.aborted) this.report(error instanceof Error ? error : new Error(String(error)));
      }
    }
    return undefined;
  }

  private report(error: Error) {
    this.lastError = error;
    this.deps.onLost(error);
  }

  private async connectOnce(
    mayAsk: boolean,
    onNext: (failure: FleetError, next: Way) => void = () => {},
  ): Promise<Connection> {
    const failures: FleetError[] = [];
    for (const way of this.deps.ways) {
      const failure = failures.at(-1);
      if (failure !== undefined) onNext(failure, way);
      const result = await this.connectBy(way, mayAsk);
      if (!(result instanceof FleetError)) return result;
      failures.push(result);
      if (this.closing.signal.aborted) break;
    }
    throw noWay(this.deps.name, failures);
  }

  private async connectBy(way: Way, mayAsk: boolean): Promise<Connection | FleetError> {
    const { guardian, env } = this.deps;
    const control = guardian.socketPath();
    // Ctrl-C is meant for the command that uses the tunnel.
    const script = `trap '' INT QUIT; exec ssh "$@"`;
    const through = await way.through?.(this.closing.signal);
    const options = masterArguments(way, { control, mayAsk, through });
    const args = ['-c', script, 'ssh', ...options];
    const master = guardian.start('sh', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.master = master;
    let said = '';
    const { stdout, stderr } = master;
    if (stdout === null || stderr === null) throw new Error('ssh has no output');
    stderr.setEncoding('utf8').on('data', (data: string) => {
      said = `${said}${data}`.slice(-4000);
    });
    const ended = once(master, 'close').then(([code]) =>
      code === 127
        ? new FleetError('ssh: not installed; install the OpenSSH client')
        : sshFailure(way, said),
    );
    const connected = once(stdout, 'data').then(
      () => ({ way, master, control, forwards: new Map<string, Promise<string>>(), ended }),
      () => ended,
    );
    return await Promise.race([connected, ended]);
  }

  /** Undefined if the connection has ended. @throws FleetError The jumphost does not forward. */
  private async dial(connection: Connection, host: string, port: number) {
    try {
      const socket = connect(await this.forward(connection, host, port));
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (error instanceof FleetError) throw error;
      return undefined;
    }
  }

  /** The socket of a forward, created when first used. @throws FleetError @throws Error The connection has ended. */
  private forward({ way, control, forwards }: Connection, host: string, port: number) {
    const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    let socket = forwards.get(target);
    if (socket === undefined) {
      const path = this.deps.guardian.socketPath();
      const request = ['-O', 'forward', '-L', `${path}:${target}`];
      socket = this.runClient([...request, ...clientArguments(way, control)]).then(() => path);
      forwards.set(target, socket);
      socket.catch(() => forwards.delete(target));
    }
    return socket;
  }

  private async runClient(args: readonly string[]): Promise<void> {
    const { env } = this.deps;
    const { code, stderr } = await runToEnd(() => spawn('ssh', args, { env }));
    if (code === 0) return;
    const rejected = /forwarding request failed: (.*)/.exec(stderr)?.[1];
    if (rejected === undefined) throw new Error(stderr);
    throw new FleetError(`${this.deps.name}: the jumphost rejected port forwarding: ${rejected}`);
  }
}
