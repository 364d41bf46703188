/**
 * A machine of a rack: a Raspberry Pi with its phones, as others see it over the network. It is up while an outlet that
 * feeds it is on, and for as long as it boots after that it is not.
 *
 * There may be hundreds: without a connection they cost two listening sockets each and no timer.
 */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, Accounts } from '../equipment/cli/accounts.ts';
import { Core } from '../equipment/cli/core.ts';
import { Gate } from '../equipment/cli/gate.ts';
import { type HostKey, hostKey } from '../equipment/cli/host-key.ts';
import { createSsh } from '../equipment/cli/ssh.ts';
import { unixModel } from '../equipment/cli/unix/model.ts';
import type { OutletBoard, Received } from '../equipment/device.ts';
import { Listener } from '../listener.ts';
import { type AgentReport, answerAgent, type Orders, type Task } from './agent.ts';
import { Boots } from './boots.ts';
import type { MachineFault } from './faults.ts';
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
  slowMs: number;
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
  const { name = 'rpi-1', host = '127.0.0.1', feeds = [], hubs = [raspberryPi4] } = options;
  const { bootSeconds = 0.2, agentPort = 0 } = options;
  const faults = new Set<MachineFault>();
  const phones = (options.phones ?? []).map((phone): Phone => ({ works: true, ...phone }));
  const board = boardOf(hubs);
  /** By `performance.now()`, long ago at first. */
  const connectedAt = new Map(phones.map((phone) => [phone, performance.now() - 3_600_000]));
  board.on('change', () => {
    for (const phone of phones) {
      const { port } = phone;
      if (port !== undefined && !hasPower(port, board, hubs)) connectedAt.delete(phone);
      else if (!connectedAt.has(phone)) connectedAt.set(phone, performance.now());
    }
  });
  const core = new Core({ board, faults: ['rejects-login', 'wedged'] });
  let task: Task = { running: false };
  let report: AgentReport | undefined;
  let orders: Orders = [];
  let revision = 1;
  let material = '';
  const waiting = new Set<() => void>();
  /** Those who wait for a change get it, unless only readings have changed. */
  function look(): void {
    const present = phones.map((phone) => isPresent(phone, board, hubs));
    const codes = report?.reasons.map(({ code, device }) => [code, device]);
    const now = JSON.stringify([task, present, codes, report?.repairs, orders]);
    if (now === material) return;
    material = now;
    revision += 1;
    for (const end of [...waiting]) end();
  }
  async function changed(seconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, seconds * 1000);
      waiting.add(end);
    });
  }
  const key = keyOf(options.hostKey);

  const ssh = new Listener(host, options.sshPort ?? 0, (socket) => void takeSsh(socket));
  const agent = agentPort === false ? undefined : new Listener(host, agentPort, takeHttp);
  const boots = new Boots({
    listeners: agent ? [ssh, agent] : [ssh],
    faults,
    bootSeconds: typeof bootSeconds === 'function' ? bootSeconds : () => bootSeconds,
    hasPower: () => feeds.length === 0 || feeds.some(([source, outlet]) => source.isOn(outlet)),
    onBoot: () => setAllPorts(true),
    onPowerLoss() {
      faults.delete('dead');
      setAllPorts(false);
    },
  });

  function setAllPorts(on: boolean): void {
    for (const port of board.names()) board.set(port, on);
  }

  // Made when the first client comes: most machines of a large rack are never spoken to.
  let sshServer: ((socket: Socket) => void) | undefined;
  async function takeSsh(socket: Socket): Promise<void> {
    if (faults.has('ssh-silent')) return;
    if (faults.has('ssh-slow')) await sleep(machine.slowMs);
    if (socket.destroyed) return;
    const box = machineBox({
      machine: name,
      bootId: () => boots.bootId,
      faults,
      hubs,
      board,
      phones,
      reboot: () => boots.reboot(),
    });
    const ident = 'OpenSSH_9.2p1 Debian-2+deb12u3';
    sshServer ??= createSsh({
      core,
      model: unixModel({ name: 'machine', core, ident, box, powerUp() {} }),
      accounts: new Accounts(options, core.faults),
      gate: new Gate({
        core,
        maxSessions: Number.POSITIVE_INFINITY,
        keepsDeadSessions: false,
        busyInside: true,
      }),
      methods: ['publickey', 'password'],
      banner: '',
      hostKey: key.key,
      algorithms: undefined,
    });
    sshServer(socket);
  }

  const challenges = new Set<string>();
  let httpServer: Server | undefined;
  function takeHttp(socket: Socket): void {
    if (faults.has('agent-silent')) return;
    httpServer ??= createServer(async (request, response) => {
      if (faults.has('agent-slow')) await sleep(machine.slowMs);
      await answerAgent(request, response, {
        machine: name,
        bootId: () => boots.bootId,
        task: () => task,
        report: () => report,
        orders: () => orders,
        setOrders(now) {
          orders = now;
          look();
        },
        revision: () => revision,
        changed,
        phones,
        connectedMs: (phone) => performance.now() - (connectedAt.get(phone) ?? performance.now()),
        board,
        publicKey: options.agentKey,
        challenges,
        hubs,
        hubObeys: () => !faults.has('usb-ignored'),
        reboot: () => boots.reboot(),
        log: (text) => core.received.push({ at: Date.now(), text }),
      });
    });
    httpServer.emit('connection', socket);
  }

  board.on('change', look);
  const listeners = feeds.map(([source, outlet]) => {
    const listener = (change: { outlet: string }) => {
      if (change.outlet === outlet) boots.powerChanged();
    };
    source.on('change', listener);
    return () => source.off('change', listener);
  });

  try {
    await boots.start();
  } catch (error) {
    for (const end of listeners) end();
    throw error;
  }
  const machine: SimulatedMachine = {
    name,
    host,
    sshPort: ssh.port,
    agentPort: agent?.port,
    agentUrl: agent && `http://${host}:${agent.port}`,
    hostKey: key.fingerprint,
    usb: board,
    phones,
    get task() {
      return task;
    },
    set task(now) {
      task = now;
      look();
    },
    get report() {
      return report;
    },
    set report(now) {
      report = now;
      look();
    },
    received: core.received,
    slowMs: 500,
    isUp: () => boots.isUp,
    get boots() {
      return boots.count;
    },
    get bootId() {
      return boots.bootId;
    },
    whenUp: (signal) => boots.when('up', signal),
    whenDown: (signal) => boots.when('down', signal),
    whenBooted: (count, signal) => boots.whenCount(count, signal),
    async misbehave(fault) {
      faults.add(fault);
      if (fault === 'ssh-rejects-login') core.faults.set('rejects-login');
      if (fault === 'dead') boots.goDown();
      if (fault === 'ignores-power') boots.powerChanged();
    },
    async behave(fault) {
      const was = new Set(faults);
      if (fault === undefined) faults.clear();
      else faults.delete(fault);
      if (!faults.has('ssh-rejects-login')) core.faults.set('rejects-login', false);
      if (was.has('dead') && !faults.has('dead')) await boots.wakeUp();
      if (was.has('ignores-power') && !faults.has('ignores-power')) boots.powerChanged();
    },
    async close() {
      for (const stop of listeners) stop();
      for (const end of [...waiting]) end();
      await boots.close();
    },
  };
  return machine;
}

function keyOf(given: string | undefined): HostKey {
  if (given !== undefined) return hostKey(given, 'ed25519');
  sharedKey ??= hostKey(undefined, 'ed25519');
  return sharedKey;
}
