/** A machine with everything around it: a metadata server, Swarming, phones behind the real adb client. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Order } from '@skolo/api/swarming-client';
import {
  type AdbInstallation,
  type AndroidOptions,
  type BotTimes,
  type SimulatedAdbServer,
  type SimulatedSwarming,
  startAdbInstallation,
  startAdbServer,
  startSwarming,
} from '@skolo/simulators';
import { endTree } from '../bot/sweep.ts';
import { python } from '../bot/testing/python.ts';
import { processes, workingFolder } from '../host/processes.ts';
import { AgentProcess } from './agent-process.ts';
import { startMetadata, type TestMetadata } from './metadata.ts';

export const machine = 'rpi-1';

const hooks = fileURLToPath(new URL('../../python/skolo_bot_config.py', import.meta.url));

interface LabOptions {
  phones?: readonly AndroidOptions[];
  /** Parts of rack.yaml, as flow maps: the machine's entry, and the settings of all agents. */
  entry?: string;
  settings?: string;
  times?: Partial<BotTimes>;
  /** The sleep time that the server sends to an idle bot, in seconds. */
  idleSeconds?: number;
  /** How often phones are read. */
  readSeconds?: number;
  /** Main file of the agent; default: its sources. */
  main?: string;
  /** The adb server is a separate process, which can be killed. */
  isAdbProcess?: boolean;
}

export class Lab {
  readonly dir: string;
  readonly swarming: SimulatedSwarming;
  readonly metadata: TestMetadata;
  readonly adb: SimulatedAdbServer;
  readonly agents: AgentProcess[] = [];

  /** With `isAdbProcess`. */
  readonly installation: AdbInstallation | undefined;
  private readonly readSeconds: number;
  private readonly main: string | undefined;

  private constructor(
    dir: string,
    { readSeconds = 1, main }: LabOptions,
    parts: Pick<Lab, 'swarming' | 'metadata' | 'adb' | 'installation'>,
  ) {
    this.dir = dir;
    this.readSeconds = readSeconds;
    this.main = main;
    this.swarming = parts.swarming;
    this.metadata = parts.metadata;
    this.adb = parts.adb;
    this.installation = parts.installation;
  }

  static async open(options: LabOptions = {}): Promise<Lab> {
    const { phones = [], entry, settings, times, idleSeconds } = options;
    const dir = await mkdtemp(join(tmpdir(), 'skolo-agent-'));
    const metadata = await startMetadata(machine);
    const swarming = await startSwarming({
      accepts: (token, bot) => token === metadata.token && bot === machine,
      hookScript: await readFile(hooks, 'utf8'),
      ...(times && { times }),
      ...(idleSeconds && { sleeps: { idle: idleSeconds } }),
    });
    const installation = options.isAdbProcess ? await startAdbInstallation({ phones }) : undefined;
    const adb = installation?.server ?? (await startAdbServer({ phones }));
    const lab = new Lab(dir, options, { swarming, metadata, adb, installation });
    const token = '/computeMetadata/v1/instance/service-accounts/default/token';
    const config = { url: metadata.url + token, headers: { 'Metadata-Flavor': 'Google' } };
    await writeFile(lab.oauthConfig, JSON.stringify(config));
    lab.setRack(entry, settings);
    return lab;
  }

  get botDir(): string {
    return join(this.dir, 'b', 's');
  }

  get stateDir(): string {
    return join(this.dir, 'state');
  }

  private get oauthConfig(): string {
    return join(this.dir, 'oauth.json');
  }

  /** The current content of rack.yaml. */
  setRack(entry = 'device: { kind: android }', settings = ''): void {
    this.metadata.setRack(`
rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
access: { anonymousRead: [127.0.0.0/8] }
machines:
  ${machine}: { kind: rpi, address: 127.0.1.1, ${entry} }
services:
  metadata-server: { url: "${this.metadata.url}" }
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  swarming-client:
    ${settings.includes('bot: none') ? '' : `server: ${this.swarming.url}`}
    python: python3
    botDir: ${this.botDir}
    backoffSeconds: { first: 0.1, most: 1 }
    taskGraceSeconds: 20
    readSeconds: ${this.readSeconds}
    commandSeconds: 10
    ${settings}
`);
  }

  async startAgent(...args: string[]): Promise<AgentProcess> {
    const agent = await AgentProcess.start(
      machine,
      [
        ...['--metadata-url', this.metadata.url, '--state-dir', this.stateDir],
        ...['--port', '0', '--hook-port', '0', '--metrics-port', '0', ...args],
      ],
      {
        // A python3 on the PATH may be a script that searches for it first, at each start.
        PATH: `${dirname(python ?? '')}:${process.env.PATH}`,
        HOME: this.dir,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        SKOLO_OAUTH_CONFIG: this.oauthConfig,
        // With an address, adb does not start its own server when this one is gone.
        ...(this.installation?.env ?? { ADB_SERVER_SOCKET: `tcp:127.0.0.1:${this.adb.port}` }),
      },
      this.main,
    );
    this.agents.push(agent);
    return agent;
  }

  /** Processes that run in the bot's directory. */
  ofBot(): number[] {
    return [...processes().values()]
      .filter(({ pid, isZombie }) => !isZombie && workingFolder(pid)?.startsWith(this.botDir))
      .map(({ pid }) => pid);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    for (const agent of this.agents) await agent.end('SIGKILL');
    for (const pid of this.ofBot()) await endTree(pid);
    const adb = this.installation ?? this.adb;
    await Promise.all([this.swarming.close(), this.metadata.close(), adb.close()]);
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** An order as sent by machine-state. */
export function newOrder(): Order {
  const since = new Date().toISOString();
  return { id: randomUUID(), kind: 'quarantine', by: 'ann', reason: 'smells burnt', since };
}
