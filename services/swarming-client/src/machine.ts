/** The machine and its devices: read, judged and repaired, whatever the bot does. */
import type { Clock, Closers, Logger } from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import { AfterTask } from './after-task.ts';
import { AdbWatch, createAdbServer } from './devices/adb-server.ts';
import type { DeviceSettings, DeviceView, Dimensions } from './devices/device.ts';
import { openDevice } from './devices/index.ts';
import { SshSignIns } from './devices/ssh.ts';
import { ForcedQuarantine } from './health/forced-quarantine.ts';
import type { Health, HealthFacts } from './health/health.ts';
import { Judge } from './health/health-monitor.ts';
import { OwnHolds } from './health/own-holds.ts';
import { HostFacts } from './host/host-dimensions.ts';
import { type HostReading, HostWatch } from './host/host-watch.ts';
import { UsbPorts } from './host/usb.ts';
import { MachineDevices } from './machine-devices.ts';
import { PowerCycleDaemon } from './power-cycle-daemon.ts';
import { Evidence } from './repair/evidence.ts';
import type { RepairView } from './repair/records.ts';
import { Repairs } from './repair/repairs.ts';
import type { RunCommand } from './run-command.ts';
import type { TaskView } from './task.ts';

export interface MachineDeps {
  name: string;
  stateDir: string;
  /** Undefined: it is not known what rack.yaml says of it. */
  slice: () => MachineSlice | undefined;
  /** Why not, for people. */
  whyUnknown: () => string;
  task: () => TaskView;
  isStopping: () => boolean;
  /** Why the bot restarts once its task has ended; undefined: it does not. */
  botRestart: () => string | undefined;
  /** Its clock minus that of the jumphost, in seconds; undefined: not known. */
  clockOffset: () => number | undefined;
  localAddress: string | undefined;
  /** A second port of the power-cycle daemon, where it has one. */
  powerCyclePort?: number | undefined;
  run: RunCommand;
  clock: Clock;
  log: Logger;
  closers: Closers;
  onLook: (view: DeviceView, seconds: number) => void;
}

export interface MachineView {
  devices: readonly DeviceView[];
  host: HostReading;
  /** Of the machine itself; nothing where a device is attached. */
  dimensions: Dimensions;
  health: Health;
  repairs: readonly RepairView[];
  /** Steps of repair that have ended, by step and outcome: `usb-cycle helped`. */
  repairCounts: ReadonlyMap<string, number>;
}

export interface MachineKeeper {
  start(): Promise<void>;
  view(): MachineView;
  /** What is known of it is another: its slice, the task, that the agent stops. */
  look(): void;
  /** The slice is another. */
  follow(): void;
  /** A task has ended: the devices reboot, where that is wanted. */
  taskEnded(): void;
  /** Ends a quarantine that a person forced, and begins anew with what needs hands. @throws Error */
  clear(): Promise<Health>;
  usb: UsbPorts;
}

const usualReadSeconds = 30;
const usualUsbOffSeconds = 5;
const fileEveryMs = 10_000;

export function keepMachine(deps: MachineDeps): MachineKeeper {
  const { name, stateDir, slice, localAddress, run, clock, log, closers } = deps;
  const settings = () => slice()?.swarming;
  const readSeconds = () => settings()?.readSeconds ?? usualReadSeconds;
  const powerCycleDaemon = new PowerCycleDaemon(
    () => slice()?.services['power-cycle-daemon'],
    deps.powerCyclePort,
  );
  const onChange = () => judge.look();
  const from = localAddress === undefined ? {} : { localAddress };

  const ofDevices = () => deviceSettings(settings());
  const adb = createAdbServer({ run, settings: ofDevices, log });
  const sshSignIns = new SshSignIns(clock);
  const devices = new MachineDevices({
    open: (device) =>
      openDevice(device, { run, settings: ofDevices, adb, sshSignIns, stateDir, log }),
    readSeconds,
    clock,
    log,
    onChange,
    onLook: deps.onLook,
  });
  const hostWatch = new HostWatch({
    botDir: () => settings()?.botDir,
    readSeconds,
    run,
    clock,
    clockOffset: deps.clockOffset,
    onChange,
  });
  const hostFacts = new HostFacts({ run, log, onChange });
  const forced = new ForcedQuarantine({
    machine: name,
    file: () => settings()?.quarantineFile,
    stateDir,
    clock,
    log,
  });
  const holds = new OwnHolds({ daemon: powerCycleDaemon, ...from, clock, log, onChange });
  const usb = new UsbPorts({ devices: () => slice()?.devices ?? [], run, log });
  const afterTask = new AfterTask({
    settings: () => settings()?.afterTask,
    devices: () => devices.rebooted(),
    clock,
    log,
    onChange,
  });
  const adbWatch = new AdbWatch({
    adb,
    wanted: () => devices.patients().some(({ device }) => 'adb-restart' in device.repairs),
    onChange: () => repairs.look(),
  });
  const repairs: Repairs = new Repairs({
    settings: () => settings()?.repair,
    targets: () => devices.patients(),
    health: () => judge.health(),
    holds: () => holds.current(),
    taskRunning: () => deps.task().running,
    rebooting: () => afterTask.rebooting(),
    stopping: deps.isStopping,
    isAdbWedged: () => adbWatch.isWedged(),
    look: (device) =>
      void devices
        .get(device)
        ?.watch.lookNow()
        .catch(() => undefined),
    usb,
    usbOffSeconds: () => settings()?.repair.usbOffSeconds ?? usualUsbOffSeconds,
    powerCycleDaemon: () => powerCycleDaemon.url(),
    ...from,
    clock,
    log,
    onChange,
  });
  const evidence = new Evidence({
    stateDir,
    wanted: () => settings()?.keepEvidence === true,
    device: (device) => devices.get(device)?.device,
    clock,
    log,
  });
  const judge: Judge = new Judge({
    settings,
    whyUnknown: deps.whyUnknown,
    facts,
    clock,
    log,
    onJudged(health) {
      repairs.look();
      void evidence.look(health);
    },
  });

  function facts(): Omit<HealthFacts, 'now'> {
    const file = forced.current();
    const isItself = devices.names().length === 0;
    const botRestart = deps.botRestart();
    return {
      devices: devices.views(),
      host: hostWatch.reading(),
      holds: holds.current(),
      ...(file !== undefined && { forced: file }),
      ...(isItself &&
        hostFacts.dimensions() === undefined && { notReady: 'not known yet: what it is' }),
      stopping: deps.isStopping(),
      ...(botRestart !== undefined && { botRestart }),
      rebooting: afterTask.rebooting(),
      notBack: afterTask.notBack(),
      needsHands: repairs.needsHands(),
    };
  }

  // In the opposite order of this they are ended.
  closers.add('adb server', () => adb.stop());
  closers.add('adb watch', () => adbWatch.stop());
  closers.add('devices', () => devices.stop());
  closers.add('host', () => hostWatch.stop());
  closers.add('host facts', () => hostFacts.stop());
  closers.add('holds', () => holds.stop());
  closers.add('USB ports', () => usb.stop());
  closers.add('repair', () => repairs.stop());
  closers.add('reboot after a task', () => afterTask.stop());
  closers.add('evidence', () => evidence.stop());
  closers.add('health', () => judge.stop());

  return {
    async start() {
      await forced.look();
      const looking = setInterval(() => void forced.look().then(onChange), fileEveryMs);
      closers.add('quarantine file', () => clearInterval(looking));
      hostWatch.start();
      usb.start();
      adbWatch.start();
      holds.start();
      repairs.start();
      judge.start();
    },
    view: () => ({
      devices: devices.views(),
      host: hostWatch.reading(),
      dimensions: hostFacts.dimensions() ?? {},
      health: judge.health(),
      repairs: repairs.view(),
      repairCounts: repairs.counts(),
    }),
    look: onChange,
    follow() {
      const known = slice();
      devices.follow(known?.devices ?? []);
      hostFacts.wanted(known !== undefined && devices.names().length === 0);
      // Before the bot asks for its first task.
      void holds.lookNow();
      judge.look();
    },
    taskEnded: () => afterTask.taskEnded(),
    async clear() {
      await forced.clear();
      for (const device of devices.names()) repairs.again(device);
      judge.look();
      return judge.health();
    },
    usb,
  };
}

function deviceSettings(settings: MachineSlice['swarming'] | undefined): DeviceSettings {
  const { commandSeconds = 5, ssh = { user: 'root', port: 22, commandSeconds: 20 } } =
    settings ?? {};
  return { commandSeconds, ssh };
}
