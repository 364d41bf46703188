/**
 * A rack that skolo only observes, by a test clock: the real power-cycle daemon, machine-state and agents' repair ladder, with simulated
 * PDUs (SNMP), a relay board (HTTP) and machines, all over sockets. Machines die and phones disappear.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, machineStateApi, powerCycleDaemonApi } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { createLogger, newToken, startService } from '@skolo/common';
import type { FakeClock } from '@skolo/common/testing';
import {
  type SimulatedDevice,
  type SimulatedMachine,
  startApcRpdu2,
  startHttpRelay,
  startSimulatedMachine,
} from '@skolo/simulators';
import { createMachineState } from '../../../services/machine-state/src/service.ts';
import { createPowerCycleDaemon } from '../../../services/power-cycle-daemon/src/service.ts';
import { assess } from '../../../services/swarming-client/src/health/assess.ts';
import {
  facts,
  gone,
  settings,
} from '../../../services/swarming-client/src/health/testing/facts.ts';
import { Repairs } from '../../../services/swarming-client/src/repair/repairs.ts';

/** Machines on each PDU, and on the relay board. */
const perDevice = 40;
/** One of them powers the router. */
const perPdu = 48;
const nowhere = 'http://127.0.0.1:2';
const never = 3_600_000;
const services = {
  powerMs: 1000,
  alertsMs: never,
  clientsMs: never,
  backupsMs: never,
  readyMs: never,
  retryMs: 1000,
};

type Closer = () => Promise<unknown>;

export class ObservedWeek {
  readonly equipment: SimulatedDevice[] = [];
  readonly machines: SimulatedMachine[] = [];
  /** Whether the internet connection's router responds. */
  isOnline = true;
  /** What agents did to their phones, and outlets that changed. */
  readonly touched: string[] = [];
  readonly logged: Record<string, unknown>[] = [];
  private readonly clock: FakeClock;
  private readonly dead = new Map<string, string>();
  private readonly ladders = new Map<string, Repairs>();
  private readonly waiting: { looks: number; resolve: () => void }[] = [];
  private readonly closers: Closer[] = [];
  private dir = '';
  private token = '';
  private urls = { power: nowhere, machines: nowhere };

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  get power() {
    return createClient(powerCycleDaemonApi, { baseUrl: this.urls.power, token: this.token });
  }

  get machineState() {
    return createClient(machineStateApi, { baseUrl: this.urls.machines, token: this.token });
  }

  async open(size: number): Promise<void> {
    this.dir = await tempDir((remove) => this.closers.push(remove));
    await this.openEquipment(size);
    this.token = await newToken(join(this.dir, 'tokens.yaml'), {
      name: 'ann',
      role: 'operate',
      expiresInDays: 3650,
    });
    await writeFile(join(this.dir, 'snmp'), 'private', { mode: 0o600 });
    this.urls.power = await this.start(
      createPowerCycleDaemon({ repair: { everyMs: 10, reach: () => this.looked() } }),
    );
    this.urls.machines = await this.start(createMachineState({ services, writeEveryMs: 50 }));
  }

  die(machine: SimulatedMachine): void {
    this.dead.set(machine.name, new Date(this.clock.now()).toISOString());
    void machine.misbehave('dead');
  }

  async revive(machine: SimulatedMachine): Promise<void> {
    this.dead.delete(machine.name);
    await machine.behave('dead');
    await this.alert('resolved', machine.name, new Date(this.clock.now()).toISOString());
  }

  losePhone(machine: SimulatedMachine): void {
    this.ladders.set(machine.name, this.ladderOf(machine));
  }

  async findPhone({ name }: SimulatedMachine): Promise<void> {
    await this.ladders.get(name)?.stop();
    this.ladders.delete(name);
  }

  /** PDUs that a busy computer served too late: machines behind them are not repaired meanwhile. */
  async silent(): Promise<string[]> {
    const { controllers } = await this.power.controllers();
    return controllers.filter(({ state }) => state === 'down').map(({ name }) => name);
  }

  /** Advances ten minutes: agents read their phones, Alertmanager repeats firing alerts, and the daemon checks everything. */
  async tenMinutes(): Promise<void> {
    for (let minute = 0; minute < 9; minute += 1) {
      this.clock.pass(60_000);
      for (const ladder of this.ladders.values()) ladder.startDue();
    }
    for (const [name, since] of this.dead) await this.alert('firing', name, since);
    this.clock.pass(60_000);
    await new Promise<void>((resolve) => this.waiting.push({ looks: 0, resolve }));
  }

  async close(): Promise<void> {
    for (const ladder of this.ladders.values()) await ladder.stop();
    for (const close of this.closers.reverse()) await close();
  }

  private async openEquipment(size: number): Promise<void> {
    const relays = await startHttpRelay({ host: '127.0.2.1', outlets: perDevice });
    this.equipment.push(relays);
    for (let n = 1; n * perDevice < size; n += 1) {
      const pdu = await startApcRpdu2({ host: `127.0.2.${n + 1}`, outlets: perPdu });
      this.equipment.push(pdu);
    }
    for (const device of this.equipment) {
      this.closers.push(() => device.close());
      device.board.on('change', ({ outlet, on }) => {
        this.touched.push(`${device.host} outlet ${outlet} ${on ? 'on' : 'off'}`);
      });
    }
    for (let i = 0; i < size; i += 1) {
      const device = this.equipment[Math.floor(i / perDevice)];
      if (device === undefined) throw new RangeError('too few outlets');
      const machine = await startSimulatedMachine({
        name: `rpi-${i}`,
        host: `127.0.${3 + (i >> 7)}.${(i & 127) + 1}`,
        feeds: [[device.board, `${(i % perDevice) + 1}`]],
        username: 'chrome-bot',
        password: 'canary',
        phones: [{ name: 'phone', port: 'usb/1-1.2' }],
        bootSeconds: 0,
      });
      this.machines.push(machine);
      this.closers.push(() => machine.close());
    }
  }

  private async start(service: Parameters<typeof startService>[0]): Promise<string> {
    const { name } = service;
    const stateDir = join(this.dir, name);
    await mkdir(stateDir);
    const rackFile = join(this.dir, `${name}.yaml`);
    await writeFile(rackFile, this.rackYaml());
    const write = (line: string) => void this.logged.push(JSON.parse(line));
    const running = await startService(service, {
      rackFile,
      stateDir,
      port: 0,
      metricsPort: 0,
      host: '127.0.0.1',
      log: createLogger({ service: name, level: 'warn', destination: { write } }),
      clock: this.clock,
    });
    this.closers.push(() => running.stop());
    return `http://127.0.0.1:${running.port}`;
  }

  private rackYaml(): string {
    const [relays, ...pdus] = this.equipment;
    const machines = this.machines.map(({ name, host, sshPort, agentUrl }, i) => {
      const device = Math.floor(i / perDevice);
      const outlet = `${device === 0 ? 'relays' : `pdu-${device}`}/${(i % perDevice) + 1}`;
      return `  ${name}: { kind: rpi, address: ${host}, ports: { ssh: ${sshPort} }, power: ${outlet}, device: { name: phone, kind: android, power: usb/1-1.2 }, swarming: { url: "${agentUrl}" } }`;
    });
    const others = ['metadata-server', 'router-backup', 'alert-to-pubsub'];
    return `rack: rack4
acts: false
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
logins: { pdus: { snmp: { version: 2, community: snmp } } }
equipment:
  relays:
    model: http-switch
    address: ${relays?.host}
    ports: { http: ${relays?.port} }
    outlets: ${perDevice}
    on: { method: PUT, path: '/relay/{outlet}/value', body: '1' }
    off: { method: PUT, path: '/relay/{outlet}/value', body: '0' }
    read: { path: '/relay/{outlet}/value', on: '^1$', off: '^0$' }
${pdus.map(({ host, port }, i) => `  pdu-${i + 1}: { model: apc-rpdu2, address: ${host}, ports: { snmp: ${port} }, outlets: ${perPdu}, login: pdus, backup: false }`).join('\n')}
  router: { model: edgeos, address: 127.0.2.99, uplink: internet, power: pdu-1/${perPdu}, backup: false }
machines:
${machines.join('\n')}
services:
${others.map((name) => `  ${name}: { url: "${nowhere}", metricsUrl: "${nowhere}" }`).join('\n')}
  power-cycle-daemon:
    url: "${this.urls.power}"
    metricsUrl: "${nowhere}"
    repair: { enabled: true, internet: { enabled: true } }
  machine-state: { alertmanager: none }
`;
  }

  /** The first step in each of the daemon's checks: its third call proves that a complete check was made. */
  private async looked(): Promise<boolean> {
    for (const each of this.waiting) each.looks += 1;
    const done = this.waiting.filter(({ looks }) => looks > 2);
    for (const each of done) {
      this.waiting.splice(this.waiting.indexOf(each), 1);
      each.resolve();
    }
    return this.isOnline;
  }

  private async alert(status: 'firing' | 'resolved', machine: string, startsAt: string) {
    const labels = { alertname: 'MachineMissing', machine };
    await this.power.alerts({ body: { version: '4', alerts: [{ status, labels, startsAt }] } });
  }

  /** For an agent whose phone is missing, with its part of rack.yaml. */
  private ladderOf(machine: SimulatedMachine): Repairs {
    const { clock, touched } = this;
    const touch = (what: string) => async () => {
      touched.push(`${machine.name} ${what}`);
    };
    const attached = {
      name: 'phone',
      fullName: `${machine.name}-phone`,
      kind: 'android' as const,
      power: { hub: '1-1', port: 2 },
    };
    const device = {
      repairs: { 'adb-reconnect': touch('reconnect'), 'device-reboot': touch('reboot') },
    };
    const repairs: Repairs = new Repairs({
      settings: () => settings.repair,
      targets: () => [{ attached, device, view: gone() }],
      health: () => assess(undefined, facts({ devices: [gone()] }), settings),
      holds: () => [],
      whyBusy: () => undefined,
      askWhyBusy: async () => undefined,
      rebooting: () => new Map(),
      stopping: () => false,
      isAdbWedged: () => false,
      whyNotActing: () => 'rack.yaml has `acts: false` for it',
      readDevice: () => undefined,
      usb: { cycle: touch('usb'), isKeptOff: () => false },
      usbOffSeconds: () => 0,
      powerCycleDaemon: () => this.urls.power,
      request: async () => {
        await touch('power')();
        throw new Error('the test allows no request');
      },
      clock,
      emit: () => {
        const view = repairs.view();
        const steps = view.map((each) => ({ ...each, at: each.at.toISOString() }));
        machine.report = { reasons: [], phones: {}, repairs: steps };
      },
    });
    return repairs;
  }
}
