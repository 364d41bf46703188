/** Runs the machine's parts, independently of the bot: devices are read, assessed and repaired. */

import type { Order } from '@skolo/api/swarming-client';
import { repeat } from '@skolo/base';
import type { Closers, Logger } from '@skolo/common/light';
import { whyNotActing } from '@skolo/rack/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { Bot } from './bot/bot.ts';
import { AdbWatch, SharedAdbServer } from './devices/adb-server.ts';
import type { DeviceSettings, DeviceView, Dimensions } from './devices/device.ts';
import { DeviceWatches } from './devices/device-watch.ts';
import { openDevice } from './devices/index.ts';
import { SshSignIns } from './devices/ssh-sign-ins.ts';
import type { AgentEvent } from './events.ts';
import { ForcedQuarantine } from './health/forced-quarantine.ts';
import type { Health, HealthFacts } from './health/health.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { Orders } from './health/orders.ts';
import { HostDimensions } from './hooks/host-dimensions.ts';
import type { Task } from './hooks/task.ts';
import { HostWatch } from './host/host-watch.ts';
import type { HostReading } from './host/sensors.ts';
import { UsbPorts } from './host/usb.ts';
import { type SendRequest, signedRequests } from './http/signed-request.ts';
import type { IdentityKeeper } from './identity/identity.ts';
import type { ClockOffset } from './identity/metadata-client.ts';
import type { PartDeps } from './part-deps.ts';
import { AfterTask } from './repair/after-task.ts';
import { Evidence } from './repair/evidence.ts';
import { OwnHolds } from './repair/own-holds.ts';
import { PowerCycleDaemon } from './repair/power-cycle-daemon.ts';
import type { RepairView } from './repair/records.ts';
import { Repairs } from './repair/repairs.ts';
import { Screens } from './status/screen.ts';

interface MachineDeps extends PartDeps {
  name: string;
  identity: IdentityKeeper;
  task: Task;
  bot: Pick<Bot, 'view'>;
  clockOffset: ClockOffset;
  isStopping: () => boolean;
  localAddress: string | undefined;
  /** A second port of the power-cycle daemon, if it has one. */
  powerCyclePort: number | undefined;
  log: Logger;
}

export interface MachineView {
  devices: readonly DeviceView[];
  host: HostReading;
  /** The machine's own; empty if a device is attached. */
  dimensions: Dimensions;
  health: Health;
  /** Operators' active orders. */
  orders: readonly Order[];
  repairs: readonly RepairView[];
  /** By device. */
  repairSteps: ReadonlyMap<string, readonly string[]>;
}

const usualReadSeconds = 30;
const usualUsbOffSeconds = 5;
const fileSeconds = 10;

export class Machine {
  readonly usb: UsbPorts;
  readonly screens: Screens;
  private readonly deps: MachineDeps;
  private readonly devices: ReturnType<typeof openDevices>;
  private readonly host: HostWatch;
  private readonly hostDimensions: HostDimensions;
  private readonly forced: ForcedQuarantine;
  private readonly orders: Orders;
  private readonly holds: OwnHolds;
  private readonly monitor: HealthMonitor;
  private readonly afterTask: AfterTask;
  private readonly repairs: Repairs;
  private readonly evidence: Evidence;
  private readonly stopped = new AbortController();

  constructor(deps: MachineDeps) {
    const { name, stateDir, identity, clockOffset, task, run, clock, log, emit } = deps;
    this.deps = deps;
    const settings = () => this.settings();
    this.devices = openDevices(deps, settings);
    const { watches } = this.devices;
    const whyNotActing = () => this.whyNotActing();
    const own = () => this.part()?.devices ?? [];
    this.usb = new UsbPorts({ devices: own, whyNotActing, run, log });
    this.host = new HostWatch({
      botDir: () => settings()?.botDir,
      readSeconds: () => readSecondsOf(settings()),
      clockOffset: () => clockOffset.get(),
      run,
      clock,
      emit,
    });
    this.hostDimensions = new HostDimensions({ run, emit });
    const file = () => settings()?.quarantineFile;
    this.forced = new ForcedQuarantine({ machine: name, file, stateDir, clock, log });
    this.orders = new Orders({ stateDir, clock, clockOffset, log, emit });
    const whyUnknown = () => identity.whyUnknown();
    this.monitor = new HealthMonitor({ settings, whyUnknown, clock, emit });
    this.evidence = new Evidence({
      wanted: () => settings()?.keepEvidence === true,
      device: (device) => watches.get(device)?.device,
      stateDir,
      clock,
      log,
    });
    this.screens = new Screens({
      devices: () => watches.all(),
      evidence: this.evidence,
      task: () => task.get(),
      now: () => clock.now(),
    });
    const afterTask = () => settings()?.afterTask;
    const devices = () => watches.all();
    const wouldReboot = (device: string) =>
      this.repairs.wouldHave(device, 'device-reboot', 'after a task');
    this.afterTask = new AfterTask({
      settings: afterTask,
      devices,
      isBusy: () => this.job() !== undefined,
      wouldReboot,
      clock,
      log,
      emit,
    });
    const { daemon, request } = this.powerCycles();
    const { localAddress } = deps;
    this.holds = new OwnHolds({ daemon, request, localAddress, clock, log, emit });
    this.repairs = this.openRepairs(daemon, request);
  }

  async start(): Promise<void> {
    const { forced, orders, monitor, host, usb, devices, holds, repairs } = this;
    await Promise.all([forced.update(), orders.open()]);
    const lookForFile = () => forced.update().then(() => monitor.update());
    repeat(fileSeconds * 1000, lookForFile, this.stopped.signal);
    for (const part of [host, usb, devices.adbWatch, holds, repairs]) part.start();
    monitor.start(() => this.facts());
  }

  view(): MachineView {
    return {
      devices: this.devices.watches.all().map((watch) => watch.view()),
      host: this.host.reading(),
      dimensions: this.hostDimensions.get() ?? {},
      health: this.monitor.health(),
      orders: this.orders.active(),
      repairs: this.repairs.view(),
      repairSteps: this.repairs.steps(),
    };
  }

  /** Ends a forced quarantine, and restarts repair of devices that it has given up on. @throws Error */
  async clear(): Promise<Health> {
    await this.forced.clear();
    for (const watch of this.devices.watches.all()) this.repairs.restart(watch.name);
    this.monitor.update();
    return this.monitor.health();
  }

  /** Replaces people's orders. @throws FileNotWritten */
  async setOrders(wanted: readonly Order[]): Promise<Health> {
    await this.orders.set(wanted);
    return this.monitor.health();
  }

  /** Begins one repair step. @throws HttpProblem */
  startRepair(wanted: Parameters<Repairs['order']>[0]): void {
    this.repairs.order(wanted);
  }

  /** Why the machine and its devices must not be touched; undefined: they may be. */
  whyNotActing(): string | undefined {
    return whyNotActing({ acts: this.part()?.acts ?? true });
  }

  /** A job that was announced elsewhere, as far as known, for people. */
  job(): string | undefined {
    return this.holds.job();
  }

  /** What an event means for the machine. */
  follow(event: AgentEvent): void {
    if (event.type === 'reboot-requested')
      this.repairs.wouldHave(this.deps.name, 'reboot', event.why);
    else if (event.type === 'health') {
      this.repairs.startDue();
      void this.evidence.collect(event.now);
    } else if (event.type === 'adb-server') this.repairs.startDue();
    else if (changesFacts.has(event.type)) {
      if (event.type === 'identity' && event.now.machinePart !== event.before.machinePart)
        this.followMachinePart();
      if (event.type === 'task-ended' && (event.outcome !== 'bot-exit' || !this.deps.isStopping()))
        this.afterTask.taskEnded();
      this.monitor.update();
    }
  }

  /** Its parts are closed in reverse order. */
  closeWith(closers: Closers): void {
    const { adb, adbWatch, watches } = this.devices;
    const parts: [string, { stop(): Promise<void> | void }][] = [
      ['adb server', adb],
      ['adb watch', adbWatch],
      ['devices', watches],
      ['host', this.host],
      ['host dimensions', this.hostDimensions],
      ['holds', this.holds],
      ['USB ports', this.usb],
      ['repair', this.repairs],
      ['reboot after a task', this.afterTask],
      ['evidence', this.evidence],
      ['health', this.monitor],
      ['quarantine file', { stop: () => this.stopped.abort() }],
    ];
    for (const [what, part] of parts) closers.add(what, () => part.stop());
  }

  private part(): MachinePart | undefined {
    return this.deps.identity.machinePart();
  }

  private settings(): MachinePart['swarming'] | undefined {
    return this.part()?.swarming;
  }

  private powerCycles(): { daemon: PowerCycleDaemon; request: SendRequest } {
    const { name, stateDir, powerCyclePort } = this.deps;
    const url = () => this.part()?.services['power-cycle-daemon'];
    const request = signedRequests(stateDir, () => {
      const known = this.part();
      return known && { rack: known.rack, machine: name };
    });
    return { daemon: new PowerCycleDaemon(url, powerCyclePort), request };
  }

  private openRepairs(daemon: PowerCycleDaemon, request: SendRequest): Repairs {
    const { task, isStopping, localAddress, clock, emit } = this.deps;
    const whyBusy = () => (task.get().running ? 'a task is running' : this.holds.whyNotRepairing());
    const { watches, adbWatch } = this.devices;
    return new Repairs({
      settings: () => this.settings()?.repair,
      targets: () =>
        watches.all().map((watch) => ({
          attached: watch.entry,
          device: watch.device,
          view: watch.view(),
        })),
      health: () => this.monitor.health(),
      holds: () => this.holds.current(),
      whyBusy,
      askWhyBusy: () => this.holds.refresh().then(whyBusy),
      rebooting: () => this.afterTask.rebooting(),
      stopping: isStopping,
      isAdbWedged: () => adbWatch.isWedged(),
      whyNotActing: () => this.whyNotActing(),
      readDevice: (device) => watches.get(device)?.start(),
      usb: this.usb,
      usbOffSeconds: () => this.settings()?.repair.usbOffSeconds ?? usualUsbOffSeconds,
      powerCycleDaemon: () => daemon.url(),
      request,
      localAddress,
      clock,
      emit,
    });
  }

  private facts(): Omit<HealthFacts, 'now'> {
    const { devices, hostDimensions, forced, orders, afterTask } = this;
    const { state, why } = this.deps.bot.view();
    const views = devices.watches.all().map((watch) => watch.view());
    const isUnknown = views.length === 0 && hostDimensions.get() === undefined;
    return {
      devices: views,
      host: this.host.reading(),
      holds: this.holds.current(),
      orders: [...forced.current(), ...orders.current()],
      notReady: isUnknown ? "the machine's dimensions are not known yet" : undefined,
      stopping: this.deps.isStopping(),
      taskRunning: this.deps.task.get().running,
      botRestart: state === 'stopping' ? (why ?? 'a restart was requested') : undefined,
      rebooting: afterTask.rebooting(),
      notBack: afterTask.notBack(),
      givenUp: this.repairs.givenUp(),
    };
  }

  private followMachinePart(): void {
    const { watches } = this.devices;
    watches.follow(this.part()?.devices ?? []);
    this.hostDimensions.setWanted(this.part() !== undefined && watches.all().length === 0);
    // Before the bot asks for its first task.
    void this.holds.refresh();
  }
}

function openDevices(
  { run, log, clock, stateDir, emit }: MachineDeps,
  swarming: () => MachinePart['swarming'] | undefined,
) {
  const settings = () => deviceSettingsOf(swarming());
  const adb = new SharedAdbServer({ run, settings, log });
  const sshSignIns = new SshSignIns(clock);
  const attached = () => watches.all().map(({ entry }) => entry);
  const watches = new DeviceWatches({
    open: (device) =>
      openDevice(device, { run, settings, adb, attached, sshSignIns, stateDir, log }),
    readSeconds: () => readSecondsOf(swarming()),
    clock,
    log,
    emit,
  });
  const wanted = () => watches.all().some(({ device }) => 'adb-restart' in device.repairs);
  return { adb, watches, adbWatch: new AdbWatch({ adb, wanted, emit }) };
}

/** Events after which health is reassessed. */
const changesFacts = new Set<AgentEvent['type']>([
  ...(['identity', 'task-started', 'task-ended', 'bot', 'device-read', 'facts'] as const),
  ...(['repair-started', 'repair-ended', 'needs-attention'] as const),
]);

function readSecondsOf(settings: MachinePart['swarming'] | undefined): number {
  return settings?.readSeconds ?? usualReadSeconds;
}

function deviceSettingsOf(settings: MachinePart['swarming'] | undefined): DeviceSettings {
  const { commandSeconds = 5, ssh = { user: 'root', port: 22, commandSeconds: 20 } } =
    settings ?? {};
  return { commandSeconds, ssh };
}
