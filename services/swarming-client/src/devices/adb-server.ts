/**
 * This machine's adb server: when it counts as hanging, and how it is restarted: one for all devices, including tasks, on
 * `ANDROID_ADB_SERVER_PORT` (5037 by default). One started by another program is just as good. Its version is read over its socket,
 * which requires no process.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { errorCode, orAborted, pause, repeat } from '@skolo/base';
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';
import type { Emit, EventLog } from '@skolo/common/light';
import type { AgentEvent } from '../events.ts';
import { argumentsOf, sendSignal } from '../host/processes.ts';
import type { AdbServer, DeviceSettings } from './device.ts';
import { complaint } from './look.ts';

interface AdbServerDeps {
  run: RunCommand;
  settings: () => Pick<DeviceSettings, 'commandSeconds'>;
  log: Pick<EventLog, 'info' | 'warn'>;
  /** Where adb looks for its port; that of this process by default. */
  env?: NodeJS.ProcessEnv;
}

/** Request and answer of `host:version`; see SERVICES.TXT of adb. */
const versionRequest = '000chost:version';
const goneMs = 20;
/** A healthy one ends immediately. */
const mostToEndMs = 2000;
/** Twice this, with the pause between two readings and a restart, is less than half a minute. */
const mostToAnswerMs = 5000;

export class SharedAdbServer implements AdbServer {
  private readonly deps: AdbServerDeps;
  private readonly env: NodeJS.ProcessEnv;
  private readonly port: number;
  private isOurs = false;
  /** A start or restart in progress is shared. */
  private starting: Promise<void> | undefined;

  constructor(deps: AdbServerDeps) {
    this.deps = deps;
    this.env = deps.env ?? process.env;
    this.port = adbPort(this.env);
  }

  private async adb(command: string, most: number, signal?: AbortSignal): Promise<void> {
    const result = await this.deps.run('adb', [command], {
      timeoutMs: most,
      signal,
      env: this.env,
    });
    if (result.status === 0) return;
    throw new CommandFailed('failed', `adb ${command}: ${complaint(result)}`);
  }

  private async start(signal: AbortSignal): Promise<void> {
    await this.adb('start-server', this.timeoutMs(), signal);
    this.isOurs = true;
    this.deps.log.info({ port: this.port }, 'adb server started');
  }

  /** Later callers wait for the same one, but not beyond their own limit. */
  private async once(begin: () => Promise<void>, signal: AbortSignal): Promise<void> {
    this.starting ??= begin().finally(() => {
      this.starting = undefined;
    });
    // All its waiters may have been aborted.
    this.starting.catch(() => undefined);
    await orAborted(this.starting, signal);
  }

  async ensure(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.starting !== undefined) return await orAborted(this.starting, signal);
    const answer = await askVersion(this.port, this.timeoutMs(), signal);
    if (answer === 'answers') return;
    if (answer === 'refused') return await this.once(() => this.start(signal), signal);
    throw new CommandFailed(
      'timeout',
      answer === 'silent'
        ? `the adb server on port ${this.port} did not respond within ${this.deps.settings().commandSeconds} s; it must be restarted`
        : `the program on port ${this.port} is not an adb server, or one that must be restarted; to find it, run ss -ltnp`,
    );
  }

  /** Only the servers that listen now: another client, such as a task, may start the next one meanwhile. */
  private async end(signal?: AbortSignal): Promise<void> {
    const sockets = await listenersOf(this.port);
    try {
      await this.adb('kill-server', Math.min(mostToEndMs, this.timeoutMs()), signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CommandFailed && error.code === 'missing') throw error;
      // It ignores that, too; see below.
    }
    const pids = await adbServerPids(sockets);
    for (const pid of pids) {
      this.deps.log.warn({ pid, port: this.port }, 'adb server killed');
      sendSignal(pid, 'SIGKILL');
    }
    // One that is ending has no command line any more, but still its socket, and would reset the connection of the next one's client.
    const late = AbortSignal.timeout(pids.length > 0 ? this.timeoutMs() : mostToEndMs);
    const areOpen = async () =>
      [...(await listenersOf(this.port))].some((socket) => sockets.has(socket));
    while (!late.aborted && (await areOpen())) await pause(goneMs, signal);
  }

  async isWedged(signal: AbortSignal): Promise<boolean> {
    if (this.starting !== undefined) return false;
    for (let time = 0; time < 2; time += 1) {
      const answer = await askVersion(
        this.port,
        Math.min(mostToAnswerMs, this.timeoutMs()),
        signal,
      );
      if (answer === 'answers' || answer === 'refused') return false;
    }
    return true;
  }

  async restart(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.once(async () => {
      await this.end(signal);
      await this.start(signal);
    }, signal);
    const answer = await askVersion(this.port, this.timeoutMs(), signal);
    if (answer === 'answers') return;
    throw new CommandFailed(
      'failed',
      `the adb server on port ${this.port} still does not respond correctly after a restart; check that no other program uses the port`,
    );
  }

  async stop(): Promise<void> {
    await this.starting?.catch(() => undefined);
    if (!this.isOurs) return;
    this.isOurs = false;
    await this.end().catch(() => undefined);
  }

  private timeoutMs(): number {
    return this.deps.settings().commandSeconds * 1000;
  }
}

/** `ADB_SERVER_SOCKET` (`tcp:5038`, `tcp:localhost:5038`) takes precedence over `ANDROID_ADB_SERVER_PORT`, as in adb itself. */
export function adbPort(env: NodeJS.ProcessEnv): number {
  const [, ofSocket] = /^tcp:(?:.*:)?(\d+)$/.exec(env.ADB_SERVER_SOCKET ?? '') ?? [];
  const port = Number(ofSocket ?? env.ANDROID_ADB_SERVER_PORT ?? 5037);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 5037;
}

type Answer = 'answers' | 'refused' | 'silent' | 'nonsense';

async function askVersion(port: number, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const socket = connect({ port, host: '127.0.0.1', signal: limit });
  let text = '';
  try {
    socket.write(versionRequest);
    for await (const data of socket) {
      text += data.toString('latin1');
      if (/^OKAY[0-9a-f]{4}/i.test(text)) return 'answers';
      if (text.length >= 8) break;
    }
    return 'nonsense';
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) return 'silent';
    return errorCode(error) === 'ECONNREFUSED' ? 'refused' : 'nonsense';
  } finally {
    socket.destroy();
  }
}

/** The adb servers with these sockets, from /proc: no other process is ever ended. */
async function adbServerPids(inodes: ReadonlySet<string>): Promise<number[]> {
  if (inodes.size === 0) return [];
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || !isAdbServer(pid)) continue;
    if (await hasSocket(pid, inodes)) pids.push(pid);
  }
  return pids;
}

/** Inodes of sockets that listen on it; see proc(5): state 0A is LISTEN. */
async function listenersOf(port: number): Promise<Set<string>> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const fields = line.trim().split(/\s+/);
      const [, local, , state] = fields;
      if (local?.endsWith(wanted) && state === '0A' && fields[9] !== undefined)
        inodes.add(fields[9]);
    }
  }
  return inodes;
}

/** `adb -L tcp:5037 fork-server server --reply-fd 4`; a script may be preceded by its interpreter. */
function isAdbServer(pid: number): boolean {
  const args = argumentsOf(pid);
  const isAdb = args.slice(0, 2).some((arg) => /^adb(\.|$)/.test(basename(arg)));
  return isAdb && args.includes('server');
}

async function hasSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const name of names) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

interface AdbWatchDeps {
  adb: Pick<AdbServer, 'isWedged'>;
  /** A device is attached that needs the server. */
  wanted: () => boolean;
  emit: Emit<AgentEvent>;
}

const watchSeconds = 8;

/** Whether the adb server is wedged, read more often than the phones: it takes one connection and no process. */
export class AdbWatch {
  private readonly deps: AdbWatchDeps;
  private readonly ended = new AbortController();
  private known = false;

  constructor(deps: AdbWatchDeps) {
    this.deps = deps;
  }

  start(): void {
    repeat(watchSeconds * 1000, () => this.updateWedged(), this.ended.signal);
  }

  stop(): void {
    this.ended.abort();
  }

  isWedged(): boolean {
    return this.known;
  }

  private async updateWedged(): Promise<void> {
    const { adb, wanted, emit } = this.deps;
    const isWedged = wanted() && (await adb.isWedged(this.ended.signal));
    if (isWedged === this.known) return;
    this.known = isWedged;
    emit({ type: 'adb-server', isWedged });
  }
}
