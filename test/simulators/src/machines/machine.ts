/**
 * A machine of a rack: a Raspberry Pi with its phones, as others see it over the network. It is up while an outlet that
 * feeds it is on, and for as long as it boots after that it is not.
 *
 * There may be hundreds: without a connection they cost two listening sockets each and no timer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Account, Accounts } from '../equipment/cli/accounts.ts';
import { Core } from '../equipment/cli/core.ts';
import { type HostKey, hostKey } from '../equipment/cli/host-key.ts';
import { createSsh } from '../equipment/cli/ssh.ts';
import type { Program } from '../equipment/cli/unix/box.ts';
import { unixModel } from '../equipment/cli/unix/model.ts';
import type { OutletBoard, Received } from '../equipment/device.ts';
import { Listener } from '../listener.ts';
import { type AgentReport, answerAgent, type Orders, type Task } from './agent.ts';
import { Boots, type MachineFault } from './boots.ts';
import { Care } from './care.ts';
import { machineBox } from './unix.ts';
import { boardOf, hasPower, isPresent, type Phone, raspberryPi4, type UsbHub } from './usb.ts';

export interface SimulatedMachineOptions extends Account {
  /** As in rack.yaml; `rpi-1` when absent. */
  name?: string;
  /** Outlets that feed it; any of them is enough. None: it always has power. */
  feeds?: readonly (readonly [board: OutletBoard, outlet: string])[];
  /** 127.0.0.1 when absent. */
  host?: string;
  /** Any free one when absent. */
  sshPort?: number;
  /** Any free one when absent; false: it has no agent. */
  agentPort?: number | false;
  /** Public key of those whom its agent obeys, `x` of RFC 8037; anybody may tell it anything when absent. */
  agentKey?: string;
  /** From power to open ports; 0.2 when absent. A function is asked at each boot. */
  bootSeconds?: number | (() => number);
  /** Private key of the host; absent: one that all machines of this process share. */
  hostKey?: string;
  /** A Raspberry Pi 4's when absent. */
  hubs?: readonly UsbHub[];
  /** Phones and where they are plugged in; those on a port that has no power are missing. */
  phones?: readonly Omit<Phone, 'works'>[];
}

export interface SimulatedMachine {
  readonly name: string;
  readonly host: string;
  readonly sshPort: number;
  readonly agentPort: number | undefined;
  /** `http://127.0.0.1:PORT` */
  readonly agentUrl: string | undefined;
  /** `SHA256:…` */
  readonly hostKey: string;
  /** Its USB ports: `usb/1-1.2`. All are on after a boot. */
  readonly usb: OutletBoard;
  readonly phones: Phone[];
  /** What runs on it; set it at will. */
  task: Task;
  /** What its agent reports besides; set it at will. Undefined: nothing. */
  report: AgentReport | undefined;
  /** Commands over ssh and requests to its agent, oldest first. */
  readonly received: Received[];
  /** What it runs over ssh in addition to its own programs, or instead of them. */
  readonly programs: Map<string, Program>;
  isUp(): boolean;
  /** How often it came up, the first time included. */
  readonly boots: number;
  readonly bootId: string;
  /** Resolves at once where it is so already. */
  whenUp(signal?: AbortSignal): Promise<void>;
  whenDown(signal?: AbortSignal): Promise<void>;
  /** Until it came up that often. */
  whenBooted(count: number, signal?: AbortSignal): Promise<void>;
  misbehave(fault: MachineFault): Promise<void>;
  /** Ends that fault, or all. */
  behave(fault?: MachineFault): Promise<void>;
  close(): Promise<void>;
}

let sharedKey: HostKey | undefined;

/** Up when the promise is fulfilled, where it has power. */
export async function startSimulatedMachine(
  options: SimulatedMachineOptions,
): Promise<SimulatedMachine> {
  const machine = new Machine(options);
  await machine.open();
  return machine;
}

/** What its agent reports and is told, with those who wait for a change of it. */
class AgentState {
  readonly care = new Care();
  orders: Orders = [];
  revision = 1;
  private ownTask: Task = { running: false };
  private ownReport: AgentReport | undefined;
  private material = '';
  private readonly waiting = new Set<() => void>();
  private readonly present: () => boolean[];

  constructor(present: () => boolean[]) {
    this.present = present;
  }

  get task(): Task {
    return this.ownTask;
  }

  set task(now) {
    const { id } = this.ownTask;
    if (id !== undefined && now.id !== id) this.care.log(`task ${id} ended`, 'bot');
    if (now.id !== undefined && now.id !== id) this.care.log(`task ${now.id} started`, 'bot');
    this.ownTask = now;
    this.look();
  }

  get report(): AgentReport | undefined {
    return this.ownReport;
  }

  set report(now) {
    this.ownReport = now;
    this.look();
  }

  /** Those who wait for a change get it, unless only readings have changed. */
  look(): void {
    const { task, report, orders } = this;
    const { care } = this;
    const codes = report?.reasons.map((reason) => [care.judge(reason).code, reason.device]);
    const repairs = [report?.repairs, care.repairs];
    const now = JSON.stringify([task, this.present(), codes, repairs, orders]);
    if (now === this.material) return;
    this.material = now;
    this.revision += 1;
    this.release();
  }

  release(): void {
    for (const end of [...this.waiting]) end();
  }

  async changed(seconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, seconds * 1000);
      this.waiting.add(end);
    });
  }
}

class Machine implements SimulatedMachine {
  readonly name: string;
  readonly host: string;
  readonly hostKey: string;
  readonly usb: OutletBoard;
  readonly phones: Phone[];
  readonly programs = new Map<string, Program>();
  private readonly options: SimulatedMachineOptions;
  private readonly hubs: readonly UsbHub[];
  private readonly key: HostKey;
  private readonly core: Core;
  private readonly faults = new Set<MachineFault>();
  private readonly state: AgentState;
  private readonly runs: Boots;
  private readonly ssh: Listener;
  private readonly agent: Listener | undefined;
  /** By `performance.now()`, long ago at first. */
  private readonly connectedAt: Map<Phone, number>;
  private readonly challenges = new Set<string>();
  // Made when the first client comes: most machines of a large rack are never spoken to.
  private sshServer: ((socket: Socket) => void) | undefined;
  private httpServer: Server | undefined;
  private unplug: (() => void)[] = [];

  constructor(options: SimulatedMachineOptions) {
    const { name = 'rpi-1', host = '127.0.0.1', feeds = [], hubs = [raspberryPi4] } = options;
    const { bootSeconds = 0.2, agentPort = 0 } = options;
    this.options = options;
    this.name = name;
    this.host = host;
    this.hubs = hubs;
    this.key = keyOf(options.hostKey);
    this.hostKey = this.key.fingerprint;
    this.phones = (options.phones ?? []).map((phone): Phone => ({ works: true, ...phone }));
    this.usb = boardOf(hubs);
    this.connectedAt = new Map(this.phones.map((phone) => [phone, performance.now() - 3_600_000]));
    this.core = new Core({ board: this.usb, faults: [] });
    this.state = new AgentState(() => this.phones.map((phone) => isPresent(phone, this.usb, hubs)));
    this.ssh = new Listener(host, options.sshPort ?? 0, (socket) => this.takeSsh(socket));
    this.agent =
      agentPort === false
        ? undefined
        : new Listener(host, agentPort, (socket) => this.takeHttp(socket));
    this.runs = new Boots({
      listeners: this.agent ? [this.ssh, this.agent] : [this.ssh],
      faults: this.faults,
      bootSeconds: typeof bootSeconds === 'function' ? bootSeconds : () => bootSeconds,
      hasPower: () => feeds.length === 0 || feeds.some(([source, outlet]) => source.isOn(outlet)),
      onBoot: () => {
        this.state.care.log('listening');
        this.setAllPorts(true);
      },
      onPowerLoss: () => {
        this.faults.delete('dead');
        this.setAllPorts(false);
      },
    });
  }

  async open(): Promise<void> {
    const { runs, usb, state } = this;
    usb.on('change', () => this.followPorts());
    usb.on('change', () => state.look());
    this.unplug = (this.options.feeds ?? []).map(([source, outlet]) => {
      const listener = (change: { outlet: string }) => {
        if (change.outlet === outlet) runs.powerChanged();
      };
      source.on('change', listener);
      return () => source.off('change', listener);
    });
    try {
      await runs.start();
    } catch (error) {
      for (const end of this.unplug) end();
      throw error;
    }
  }

  get sshPort(): number {
    return this.ssh.port;
  }

  get agentPort(): number | undefined {
    return this.agent?.port;
  }

  get agentUrl(): string | undefined {
    return this.agent && `http://${this.host}:${this.agent.port}`;
  }

  get task(): Task {
    return this.state.task;
  }

  set task(now) {
    this.state.task = now;
  }

  get report(): AgentReport | undefined {
    return this.state.report;
  }

  set report(now) {
    this.state.report = now;
  }

  get received(): Received[] {
    return this.core.received;
  }

  isUp(): boolean {
    return this.runs.isUp;
  }

  get boots(): number {
    return this.runs.count;
  }

  get bootId(): string {
    return this.runs.bootId;
  }

  whenUp(signal?: AbortSignal): Promise<void> {
    return this.runs.when('up', signal);
  }

  whenDown(signal?: AbortSignal): Promise<void> {
    return this.runs.when('down', signal);
  }

  whenBooted(count: number, signal?: AbortSignal): Promise<void> {
    return this.runs.whenCount(count, signal);
  }

  async misbehave(fault: MachineFault): Promise<void> {
    this.faults.add(fault);
    if (fault === 'dead') this.runs.goDown();
    if (fault === 'ignores-power') this.runs.powerChanged();
  }

  async behave(fault?: MachineFault): Promise<void> {
    const { faults, runs } = this;
    const was = new Set(faults);
    if (fault === undefined) faults.clear();
    else faults.delete(fault);
    if (was.has('dead') && !faults.has('dead')) await runs.wakeUp();
    if (was.has('ignores-power') && !faults.has('ignores-power')) runs.powerChanged();
  }

  async close(): Promise<void> {
    for (const end of this.unplug) end();
    this.state.release();
    await this.runs.close();
  }

  private setAllPorts(on: boolean): void {
    for (const port of this.usb.names()) this.usb.set(port, on);
  }

  private followPorts(): void {
    const { phones, usb, hubs, connectedAt } = this;
    for (const phone of phones) {
      const { port } = phone;
      if (port !== undefined && !hasPower(port, usb, hubs)) connectedAt.delete(phone);
      else if (!connectedAt.has(phone)) connectedAt.set(phone, performance.now());
    }
  }

  private takeSsh(socket: Socket): void {
    this.sshServer ??= this.createSsh();
    this.sshServer(socket);
  }

  private createSsh(): (socket: Socket) => void {
    const { name, core, faults, programs, hubs, phones, usb, runs, options } = this;
    const box = machineBox({
      machine: name,
      bootId: () => runs.bootId,
      programs,
      obeys: () => !faults.has('usb-ignored'),
      hubs,
      board: usb,
      phones,
      reboot: () => runs.reboot(),
    });
    const ident = 'OpenSSH_9.2p1 Debian-2+deb12u3';
    return createSsh({
      core,
      model: unixModel({ name: 'machine', core, ident, box, powerUp() {} }),
      accounts: new Accounts(options, core.faults),
      methods: ['publickey', 'password'],
      banner: '',
      hostKey: this.key.key,
      algorithms: undefined,
    });
  }

  private takeHttp(socket: Socket): void {
    this.httpServer ??= createServer((request, response) => void this.answer(request, response));
    this.httpServer.emit('connection', socket);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { name, faults, state, runs, connectedAt } = this;
    await answerAgent(request, response, {
      machine: name,
      bootId: () => runs.bootId,
      task: () => state.task,
      report: () => state.report,
      orders: () => state.orders,
      care: state.care,
      look: () => state.look(),
      setOrders(now) {
        state.orders = now;
        state.look();
      },
      revision: () => state.revision,
      changed: (seconds) => state.changed(seconds),
      phones: this.phones,
      connectedMs: (phone) => performance.now() - (connectedAt.get(phone) ?? performance.now()),
      board: this.usb,
      publicKey: this.options.agentKey,
      challenges: this.challenges,
      hubs: this.hubs,
      hubObeys: () => !faults.has('usb-ignored'),
      reboot: () => runs.reboot(),
      log: (text) => this.core.received.push({ at: Date.now(), text }),
    });
  }
}

function keyOf(given: string | undefined): HostKey {
  if (given !== undefined) return hostKey(given, 'ed25519');
  sharedKey ??= hostKey(undefined, 'ed25519');
  return sharedKey;
}
