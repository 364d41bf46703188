/** The agent, wired: nothing here decides, everything is told what it needs. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type AgentStatus, swarmingClientApi } from '@skolo/api/swarming-client';
import {
  AuditLog,
  addBuildInfo,
  addDegraded,
  type Clock,
  Closers,
  type Degraded,
  DegradedList,
  drainable,
  errorText,
  type Logger,
  listen,
  ownVersion,
  readBootId,
  systemClock,
  watchStateDir,
} from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import type { Registry } from 'prom-client';
import { authorize } from './access.ts';
import { AfterTask } from './after-task.ts';
import { apiHandlers } from './api.ts';
import { Bot } from './bot/bot.ts';
import type { BotView } from './bot/bot-view.ts';
import { botSettingsOf } from './bot-settings.ts';
import { createAdbServer } from './devices/adb-server.ts';
import type { DeviceSettings } from './devices/device.ts';
import { openDevice } from './devices/index.ts';
import type { Flags } from './flags.ts';
import { ForcedQuarantine } from './health/forced-quarantine.ts';
import { type Health, healthText } from './health/health.ts';
import { OwnHolds } from './health/own-holds.ts';
import type { AgentView } from './hooks/agent-view.ts';
import { createHookServer } from './hooks/hook-server.ts';
import { HostWatch } from './host/host-watch.ts';
import { rebootMachine } from './host/reboot.ts';
import { UsbPorts } from './host/usb.ts';
import { HostFacts } from './host-facts.ts';
import { createApiListener } from './http/api-listener.ts';
import { sliceFromFile } from './identity/from-file.ts';
import { sliceFromMetadata } from './identity/from-metadata.ts';
import { IdentityKeeper } from './identity/identity.ts';
import { MetadataClient } from './identity/metadata-client.ts';
import { Judge } from './judge.ts';
import { localAddressOf } from './local-address.ts';
import { MachineDevices } from './machine-devices.ts';
import { createMetrics } from './metrics.ts';
import { metricsPages, openApiPage } from './pages.ts';
import { RecentLines } from './recent-lines.ts';
import { Evidence } from './repair/evidence.ts';
import { Repairs } from './repair/repairs.ts';
import { createRunCommand } from './run-command.ts';
import {
  shownBot,
  shownDevice,
  shownHealth,
  shownHost,
  shownIdentity,
  shownRepair,
  shownTask,
} from './status.ts';
import { Task } from './task.ts';

export interface AgentOptions extends Omit<Flags, 'check' | 'logLevel'> {
  log: Logger;
  metrics: Registry;
  version?: string;
  clock?: Clock;
  /** Where the machine's own processes are, for a reboot: /proc. Absent: it never reboots, and says so. */
  proc?: string;
}

export interface RunningAgent {
  port: number;
  hookPort: number;
  metricsPort: number;
  /** Takes no new task, lets a running one finish for its grace time, unless it is hurried, and ends everything. */
  stop(how: { isHurried: boolean }): Promise<void>;
}

/** Of everything but the bot, once that has ended. */
const closeWithinMs = 10_000;
const usualReadSeconds = 30;
const usualUsbOffSeconds = 5;
const fileEveryMs = 10_000;

/**
 * Runs the agent in this process, without touching the process: no flags, signals, exit codes.
 *
 * @throws ListenError A port cannot be had.
 * @throws RackError With `rackFile`: it is not valid.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.closeAll(0, options.log);
    throw error;
  }
}

async function start(options: AgentOptions, closers: Closers): Promise<RunningAgent> {
  const { machine, rackFile, metadataUrl, host, stateDir, metrics: registry, log } = options;
  const { clock = systemClock, version = ownVersion(), proc } = options;
  const run = createRunCommand();
  const localAddress = localAddressOf(host);
  const degraded = new DegradedList({ clock, log });
  const lines = new RecentLines();
  let clockOffset: number | undefined;
  let isStopping = false;
  let isHurried = false;

  addBuildInfo(registry, { service: 'swarming-client', version });
  const stateDirWatch = await watchStateDir(stateDir, degraded);
  closers.add('state directory', () => stateDirWatch.close());
  const audit = new AuditLog(join(stateDir, 'audit'), { clock, degraded });
  closers.add('audit log', () => audit.close());

  const metadata = new MetadataClient({
    urls: () => [metadataUrl, ...serviceUrls('metadata-server')],
    localAddress,
    now: () => clock.now(),
    onClockOffset(seconds) {
      clockOffset = seconds;
    },
  });
  const identity = new IdentityKeeper({
    machine,
    stateDir,
    source:
      rackFile === undefined
        ? sliceFromMetadata(metadata)
        : await sliceFromFile({ file: rackFile, machine, stateDir, log }),
    log,
    onChange: follow,
  });
  closers.add('identity', () => identity.stop());
  const slice = () => identity.get().slice;
  const settings = () => slice()?.swarming;
  const whyUnknown = () => identity.get().why ?? 'nobody has said what rack.yaml says of it';
  function serviceUrls(name: 'metadata-server' | 'power-cycle-daemon'): string[] {
    const url = slice()?.services[name];
    return url === undefined ? [] : [url];
  }

  const ofDevices = () => deviceSettings(settings());
  const adb = createAdbServer({ run, settings: ofDevices, log });
  closers.add('adb server', () => adb.stop());
  const devices = new MachineDevices({
    open: (device) => openDevice(device, { run, settings: ofDevices, adb, stateDir, log }),
    readSeconds: () => settings()?.readSeconds ?? usualReadSeconds,
    clock,
    log,
    onChange: () => judge.look(),
    onLook: ({ kind, state }, seconds) => metrics.looked(kind, state, seconds),
  });
  closers.add('devices', () => devices.stop());
  const hostWatch = new HostWatch({
    botDir: () => settings()?.botDir,
    readSeconds: () => settings()?.readSeconds ?? usualReadSeconds,
    run,
    clock,
    clockOffset: () => clockOffset,
    onChange: () => judge.look(),
  });
  closers.add('host', () => hostWatch.stop());
  const hostFacts = new HostFacts({ run, log, onChange: () => judge.look() });
  closers.add('host facts', () => hostFacts.stop());
  const forced = new ForcedQuarantine({
    machine,
    file: () => settings()?.quarantineFile,
    stateDir,
    clock,
    log,
  });
  const holds = new OwnHolds({
    url: () => serviceUrls('power-cycle-daemon')[0],
    ...(localAddress !== undefined && { localAddress }),
    clock,
    log,
    onChange: () => judge.look(),
  });
  closers.add('holds', () => holds.stop());
  const usb = new UsbPorts({ devices: () => slice()?.devices ?? [], run, log });
  const afterTask = new AfterTask({
    settings: () => settings()?.afterTask,
    devices: () => devices.rebooted(),
    clock,
    log,
    onChange: () => judge.look(),
  });
  const repairs = new Repairs({
    settings: () => settings()?.repair,
    targets: () => devices.patients(),
    health: () => judge.health(),
    holds: () => holds.current(),
    taskRunning: () => task.get().running,
    rebooting: () => afterTask.rebooting(),
    stopping: () => isStopping,
    look: (name) =>
      void devices
        .get(name)
        ?.watch.lookNow()
        .catch(() => undefined),
    usb,
    usbOffSeconds: () => settings()?.repair.usbOffSeconds ?? usualUsbOffSeconds,
    powerCycleDaemon: () => serviceUrls('power-cycle-daemon')[0],
    ...(localAddress !== undefined && { localAddress }),
    clock,
    log,
    onChange: () => judge.look(),
  });
  closers.add('USB ports', () => usb.stop());
  closers.add('repair', () => repairs.stop());
  closers.add('reboot after a task', () => afterTask.stop());
  const evidence = new Evidence({
    stateDir,
    wanted: () => settings()?.keepEvidence === true,
    device: (name) => devices.get(name)?.device,
    clock,
    log,
  });
  closers.add('evidence', () => evidence.stop());

  const judge: Judge = new Judge({
    settings,
    whyUnknown,
    facts() {
      const file = forced.current();
      return {
        devices: devices.views(),
        host: hostWatch.reading(),
        holds: holds.current(),
        ...(file !== undefined && { forced: file }),
        ...(devices.names().length === 0 &&
          hostFacts.dimensions() === undefined && { notReady: 'not known yet: what this is' }),
        stopping: isStopping,
        rebooting: afterTask.rebooting(),
        notBack: afterTask.notBack(),
        needsHands: repairs.needsHands(),
      };
    },
    clock,
    log,
    onJudged(health) {
      repairs.look();
      void evidence.look(health);
    },
  });
  closers.add('health', () => judge.stop());
  const lookForFile = setInterval(() => void forced.look().then(() => judge.look()), fileEveryMs);
  closers.add('quarantine file', () => clearInterval(lookForFile));

  const task = new Task(clock);
  const bot: Bot = new Bot({
    settings: () => botSettings(),
    botId: machine,
    hookUrl: () => `http://127.0.0.1:${hookPort}`,
    token: (signal) => metadata.token(signal),
    localAddress,
    taskRunning: () => task.get().running,
    clock,
    log,
    run,
    onLine({ stream, text }) {
      lines.add('bot', text, new Date(clock.now()));
      if (stream === 'stderr') log.warn({ line: text }, 'bot says');
      else log.info({ line: text }, 'bot says');
    },
    onExit() {
      // Whatever it ran is swept away with it.
      task.end();
      judge.look();
    },
    rebootHost: reboot,
  });
  function botSettings() {
    const known = slice();
    const found = known && botSettingsOf(known);
    return found && isHurried ? { ...found, taskGraceSeconds: 0 } : found;
  }

  /** What rack.yaml says of this machine is another, or known at last. */
  function follow(): void {
    const known = slice();
    if (known === undefined) degraded.raise('identity', whyUnknown());
    else if (identity.get().why === undefined) degraded.clear('identity');
    else degraded.raise('identity', whyUnknown());
    devices.follow(known?.devices ?? []);
    hostFacts.wanted(known !== undefined && devices.names().length === 0);
    bot.settingsChanged();
    judge.look();
  }

  function reboot(why: string): void {
    if (proc === undefined) {
      log.warn({ why }, 'the machine is not rebooted: it is not allowed here');
      return;
    }
    isStopping = true;
    judge.look();
    // The bot first: it would call it a lost connection.
    bot
      .stop()
      .then(() => rebootMachine(why, { run, proc, log }))
      .catch((error: unknown) => {
        log.error({ why: errorText(error) }, 'the machine does not reboot');
      });
  }

  const view = (): AgentView => ({
    machine,
    slice: slice(),
    whyUnknown: whyUnknown(),
    devices: devices.views(),
    host: hostFacts.dimensions() ?? {},
    health: judge.health(),
    version,
  });
  const metrics = createMetrics(registry, () => ({
    bot: bot.view(),
    counts: bot.counts(),
    repairs: repairs.counts(),
    task: task.get(),
    devices: devices.views(),
    health: judge.health(),
    host: hostWatch.reading(),
    isKnown: slice() !== undefined,
    now: new Date(clock.now()),
  }));
  function readiness(): { ready: boolean; degraded: Degraded[] } {
    return {
      ready: slice() !== undefined && !isStopping,
      degraded: [...degraded.list(), ...troubles(bot.view(), judge.health())],
    };
  }
  addDegraded(registry, () => readiness().degraded);
  const status = (): AgentStatus => ({
    machine,
    ...(bootId !== undefined && { bootId }),
    task: shownTask(task.get()),
    devices: devices.views().map(shownDevice),
    health: shownHealth(judge.health()),
    bot: shownBot(bot.view()),
    repairs: repairs.view().map(shownRepair),
    host: shownHost(hostWatch.reading()),
    identity: shownIdentity(identity.get()),
    versions: { agent: version, node: process.version },
  });
  const bootId = readBootId();

  const listening = { log, closers };
  // First: a second instance ends here.
  const metricsPort = await serve(
    createServer(
      createApiListener({}, {}, { ...deps(), pages: metricsPages(registry, readiness) }),
    ),
    { ...listening, host, port: options.metricsPort, flag: '--metrics-port' },
  );
  const hooks = createHookServer({
    view,
    onHook(name, ok, seconds) {
      metrics.hook(name, ok, seconds);
      bot.hookCalled(name);
    },
    beforeTask(id) {
      task.begin(id);
      metrics.taskBegun();
      repairs.look();
    },
    afterTask() {
      task.end();
      afterTask.taskEnded();
    },
    log,
    clock,
  });
  const hookPort = await serve(hooks, {
    ...listening,
    host: '127.0.0.1',
    port: options.hookPort,
    flag: '--hook-port',
  });
  const port = await serve(
    createServer(
      createApiListener(
        swarmingClientApi,
        apiHandlers({
          status,
          task: () => task.get(),
          lines,
          usb,
          async clear() {
            await forced.clear();
            for (const name of devices.names()) repairs.again(name);
            judge.look();
            return judge.health();
          },
          reboot,
        }),
        { ...deps(), pages: openApiPage(swarmingClientApi, version) },
      ),
    ),
    { ...listening, host, port: options.port, flag: '--port' },
  );
  function deps() {
    return {
      log,
      audit,
      metrics: registry,
      authorize: (request: Parameters<typeof authorize>[0], role: 'view' | 'operate' | 'admin') =>
        authorize(request, role, slice()?.agent),
    };
  }

  await forced.look();
  await identity.start();
  hostWatch.start();
  usb.start();
  holds.start();
  repairs.start();
  judge.start();
  bot.start();
  log.info({ port, metricsPort, hookPort, machine, version }, 'listening');

  let stopped: Promise<void> | undefined;
  async function stop() {
    isStopping = true;
    judge.look();
    // The hooks are served until it has ended.
    await bot.stop();
    await closers.closeAll(closeWithinMs, log);
  }
  return {
    port,
    hookPort,
    metricsPort,
    async stop(how) {
      isHurried ||= how.isHurried;
      // Again, with less time than before.
      if (stopped !== undefined && isHurried) void bot.stop();
      stopped ??= stop();
      await stopped;
    },
  };
}

async function serve(
  server: Server,
  options: {
    log: Logger;
    closers: Closers;
    host: string | undefined;
    port: number;
    flag: string;
  },
): Promise<number> {
  const { log, closers, flag } = options;
  const { drain } = drainable(server);
  const port = await listen(server, options);
  closers.add(flag.slice(2), drain);
  server.on('error', (error) => log.error({ err: error, port }, 'server failed to accept'));
  return port;
}

/** What does not work although the agent does. */
function troubles(bot: BotView, health: Health): Degraded[] {
  const isDown = bot.state === 'backing-off' && bot.why !== undefined;
  return [
    ...(isDown ? [{ what: 'bot', why: bot.why ?? '', since: bot.since }] : []),
    ...(health.verdict === 'quarantined'
      ? [{ what: 'health', why: healthText(health), since: health.since }]
      : []),
  ];
}

function deviceSettings(settings: MachineSlice['swarming'] | undefined): DeviceSettings {
  const { commandSeconds = 5, ssh = { user: 'root', port: 22, commandSeconds: 20 } } =
    settings ?? {};
  return { commandSeconds, ssh };
}
