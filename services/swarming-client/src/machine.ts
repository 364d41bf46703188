/** The machine and its devices: read, assessed and repaired, independently of the bot. */
import type { Order } from '@skolo/api/swarming-client';
import type { Clock, Closers, Emit, Events, Logger } from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { Bot } from './bot/bot.ts';
import { AdbWatch, createAdbServer } from './devices/adb-server.ts';
import type { DeviceSettings, DeviceView, Dimensions } from './devices/device.ts';
import { DeviceWatches } from './devices/device-watch.ts';
import { openDevice } from './devices/index.ts';
import { SshSignIns } from './devices/ssh.ts';
import type { AgentEvent } from './events.ts';
import { ForcedQuarantine } from './health/forced-quarantine.ts';
import type { Health, HealthFacts } from './health/health.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { Orders } from './health/orders.ts';
import { OwnHolds } from './health/own-holds.ts';
import type { Task } from './hooks/task.ts';
import { HostDimensions } from './host/host-dimensions.ts';
import { type HostReading, HostWatch } from './host/host-watch.ts';
import type { RunCommand } from './host/run-command.ts';
import { UsbPorts } from './host/usb.ts';
import { signedRequests } from './http/signed-request.ts';
import type { IdentityKeeper } from './identity/identity.ts';
import type { ClockOffset } from './identity/metadata-client.ts';
import { AfterTask } from './repair/after-task.ts';
import { Evidence } from './repair/evidence.ts';
import { PowerCycleDaemon } from './repair/power-cycle-daemon.ts';
import type { RepairView } from './repair/records.ts';
import { Repairs } from './repair/repairs.ts';
import { repeat } from './repeat.ts';
import { Screens } from './status/screen.ts';

export interface MachineDeps {
  name: string;
  stateDir: string;
  identity: IdentityKeeper;
  task: Task;
  bot: Pick<Bot, 'view'>;
  clockOffset: ClockOffset;
  isStopping: () => boolean;
  localAddress: string | undefined;
  /** A second port of the power-cycle daemon, where it has one. */
  powerCyclePort: number | undefined;
  run: RunCommand;
  clock: Clock;
  log: Logger;
  emit: Emit<AgentEvent>;
  consume: Events<AgentEvent>['consume'];
  closers: Closers;
}

export interface MachineView {
  devices: readonly DeviceView[];
  host: HostReading;
  /** Of the machine itself; empty where a device is attached. */
  dimensions: Dimensions;
  health: Health;
  /** Orders of people that are in force. */
  orders: readonly Order[];
  repairs: readonly RepairView[];
  /** By device. */
  repairSteps: ReadonlyMap<string, readonly string[]>;
}

export interface Machine {
  start(): Promise<void>;
  view(): MachineView;
  /** Ends a forced quarantine, and starts repair again of devices that it has given up on. @throws Error */
  clear(): Promise<Health>;
  /** Replaces the orders of people. @throws FileNotWritten */
  setOrders(orders: readonly Order[]): Promise<Health>;
  /** Begins one step of repair. @throws HttpProblem */
  repair(wanted: Parameters<Repairs['order']>[0]): void;
  usb: UsbPorts;
  screens: Screens;
}

const usualReadSeconds = 30;
const usualUsbOffSeconds = 5;
const fileSeconds = 10;

export function openMachine(deps: MachineDeps): Machine {
  const { name, identity, task, bot, isStopping, run, emit, closers } = deps;
  const machinePart = () => identity.machinePart();
  const settings = () => machinePart()?.swarming;
  const readSeconds = () => settings()?.readSeconds ?? usualReadSeconds;
  const deviceSettings = () => deviceSettingsOf(settings());
  const daemon = new PowerCycleDaemon(
    () => machinePart()?.services['power-cycle-daemon'],
    deps.powerCyclePort,
  );
  const adb = createAdbServer({ run, settings: deviceSettings, log: deps.log });
  const sshSignIns = new SshSignIns(deps.clock);
  const watches = new DeviceWatches({
    ...deps,
    open: (device) => openDevice(device, { ...deps, settings: deviceSettings, adb, sshSignIns }),
    readSeconds,
  });
  const targets = () =>
    watches.all().map((watch) => ({
      attached: watch.entry,
      device: watch.device,
      view: watch.view(),
    }));
  const host = new HostWatch({
    ...deps,
    botDir: () => settings()?.botDir,
    readSeconds,
    clockOffset: () => deps.clockOffset.get(),
  });
  const hostDimensions = new HostDimensions(deps);
  const forced = new ForcedQuarantine({
    ...deps,
    machine: name,
    file: () => settings()?.quarantineFile,
  });
  const orders = new Orders(deps);
  const request = signedRequests(deps.stateDir, () => {
    const known = machinePart();
    return known && { rack: known.rack, machine: name };
  });
  const holds = new OwnHolds({ ...deps, daemon, request });
  const usb = new UsbPorts({ ...deps, devices: () => machinePart()?.devices ?? [] });
  const afterTask = new AfterTask({
    ...deps,
    settings: () => settings()?.afterTask,
    devices: () => watches.all(),
  });
  const adbWatch = new AdbWatch({
    adb,
    wanted: () => watches.all().some(({ device }) => 'adb-restart' in device.repairs),
    emit,
  });
  const monitor = new HealthMonitor({ ...deps, settings, whyUnknown: () => identity.whyUnknown() });
  const repairs = new Repairs({
    ...deps,
    settings: () => settings()?.repair,
    targets,
    health: () => monitor.health(),
    holds: () => holds.current(),
    taskRunning: () => task.get().running,
    rebooting: () => afterTask.rebooting(),
    stopping: isStopping,
    isAdbWedged: () => adbWatch.isWedged(),
    look: (device) => watches.get(device)?.start(),
    usb,
    usbOffSeconds: () => settings()?.repair.usbOffSeconds ?? usualUsbOffSeconds,
    powerCycleDaemon: () => daemon.url(),
    request,
  });
  const evidence = new Evidence({
    ...deps,
    wanted: () => settings()?.keepEvidence === true,
    device: (device) => watches.get(device)?.device,
  });

  function facts(): Omit<HealthFacts, 'now'> {
    const { state, why } = bot.view();
    const isUnknown = watches.all().length === 0 && hostDimensions.get() === undefined;
    return {
      devices: watches.all().map((watch) => watch.view()),
      host: host.reading(),
      holds: holds.current(),
      orders: [...forced.current(), ...orders.current()],
      notReady: isUnknown ? 'not known yet: the dimensions of the machine' : undefined,
      stopping: isStopping(),
      botRestart: state === 'stopping' ? (why ?? 'a restart was requested') : undefined,
      rebooting: afterTask.rebooting(),
      notBack: afterTask.notBack(),
      givenUp: repairs.givenUp(),
    };
  }

  function followMachinePart(): void {
    watches.follow(machinePart()?.devices ?? []);
    hostDimensions.setWanted(machinePart() !== undefined && watches.all().length === 0);
    // Before the bot asks for its first task.
    void holds.look();
  }

  deps.consume((event) => {
    if (event.type === 'health') {
      repairs.look();
      void evidence.look(event.now);
    } else if (event.type === 'adb-server') repairs.look();
    else if (changesFacts.has(event.type)) {
      if (event.type === 'identity' && event.now.machinePart !== event.before.machinePart)
        followMachinePart();
      if (event.type === 'task-ended' && (event.outcome !== 'bot-exit' || !isStopping())) {
        afterTask.taskEnded();
      }
      monitor.update();
    }
  });

  // They are closed in the opposite order.
  closers.add('adb server', () => adb.stop());
  closers.add('adb watch', () => adbWatch.stop());
  closers.add('devices', () => watches.stop());
  closers.add('host', () => host.stop());
  closers.add('host dimensions', () => hostDimensions.stop());
  closers.add('holds', () => holds.stop());
  closers.add('USB ports', () => usb.stop());
  closers.add('repair', () => repairs.stop());
  closers.add('reboot after a task', () => afterTask.stop());
  closers.add('evidence', () => evidence.stop());
  closers.add('health', () => monitor.stop());

  return {
    async start() {
      await Promise.all([forced.look(), orders.open()]);
      const lookForFile = () => forced.look().then(() => monitor.update());
      const ended = new AbortController();
      closers.add('quarantine file', () => ended.abort());
      repeat(fileSeconds, lookForFile, ended.signal);
      for (const part of [host, usb, adbWatch, holds, repairs]) part.start();
      monitor.start(facts);
    },
    view: () => ({
      devices: watches.all().map((watch) => watch.view()),
      host: host.reading(),
      dimensions: hostDimensions.get() ?? {},
      health: monitor.health(),
      orders: orders.inForce(),
      repairs: repairs.view(),
      repairSteps: repairs.steps(),
    }),
    async clear() {
      await forced.clear();
      for (const watch of watches.all()) repairs.restart(watch.name);
      monitor.update();
      return monitor.health();
    },
    async setOrders(wanted) {
      await orders.set(wanted);
      return monitor.health();
    },
    repair: (wanted) => repairs.order(wanted),
    usb,
    screens: new Screens({
      devices: () => watches.all(),
      evidence,
      task: () => task.get(),
      now: () => deps.clock.now(),
    }),
  };
}

/** Events after which health is assessed again. */
const changesFacts = new Set<AgentEvent['type']>([
  ...(['identity', 'task-started', 'task-ended', 'bot', 'device-read', 'facts'] as const),
  ...(['repair-started', 'repair-ended', 'needs-operator'] as const),
]);

function deviceSettingsOf(settings: MachinePart['swarming'] | undefined): DeviceSettings {
  const { commandSeconds = 5, ssh = { user: 'root', port: 22, commandSeconds: 20 } } =
    settings ?? {};
  return { commandSeconds, ssh };
}
