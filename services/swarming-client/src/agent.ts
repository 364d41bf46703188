/** The agent, wired: nothing here decides, everything is told what it needs. */
import { join } from 'node:path';
import type { AgentStatus } from '@skolo/api/swarming-client';
import {
  AuditLog,
  addBuildInfo,
  addDegraded,
  type Clock,
  Closers,
  DegradedList,
  errorText,
  type Logger,
  ownVersion,
  pause,
  readBootId,
  systemClock,
  watchStateDir,
} from '@skolo/common/light';
import type { Registry } from 'prom-client';
import { Bot } from './bot/bot.ts';
import { botSettingsOf } from './bot/bot-settings.ts';
import { RepeatedErrors } from './bot/repeated-errors.ts';
import { type Flags, localAddressOf } from './flags.ts';
import { rebootMachine } from './host/reboot.ts';
import { sliceFromFile } from './identity/from-file.ts';
import { sliceFromMetadata } from './identity/from-metadata.ts';
import { IdentityKeeper, type KnownIdentity } from './identity/identity.ts';
import { ClockOffset, MetadataClient } from './identity/metadata-client.ts';
import { keepMachine } from './machine.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { botSays, RecentLines } from './recent-lines.ts';
import { createRunCommand } from './run-command.ts';
import { type Doors, openDoors } from './servers.ts';
import { readinessOf, shownStatus } from './status.ts';
import { Task } from './task.ts';

export interface AgentOptions extends Omit<Flags, 'check' | 'logLevel' | 'powerCyclePort'> {
  powerCyclePort?: number | undefined;
  log: Logger;
  /** What the status port shows of the log. */
  lines?: RecentLines;
  metrics: Registry;
  version?: string;
  /** Of the machine that others know; by default that of this computer. */
  bootId?: string | undefined;
  clock?: Clock;
  /** Where the kernel can be told to reboot: /proc. There is no default, so that no test reboots its machine. */
  proc?: string;
  /** The machine was to reboot, and did not. Its bot has ended: the agent has to end, too, and to be started anew. */
  onNotRebooted?: () => void;
}

export interface RunningAgent extends Doors {
  /** Takes no new task, lets a running one finish for its grace time unless it is hurried, and ends everything. */
  stop(how: { isHurried: boolean }): Promise<void>;
}

const noServer =
  'no `servers` of rack.yaml fits its name: say `server` in the settings of swarming-client';
/** Seconds for everything but the bot, once that has ended. */
const usualStopWithin = 10;
/** A machine that was told to reboot has its services end first. */
const rebootWithinMs = 600_000;

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
  const { machine: name, rackFile, metadataUrl, stateDir, log, proc } = options;
  const { clock = systemClock, version = ownVersion(), metrics: registry } = options;
  const { bootId = readBootId() } = options;
  const { lines = new RecentLines() } = options;
  const run = createRunCommand();
  const localAddress = localAddressOf(options.host);
  const degraded = new DegradedList({ clock, log });
  const task = new Task(clock);
  const clockOffset = new ClockOffset(clock);
  let isStopping = false;
  let isHurried = false;

  addBuildInfo(registry, { service: 'swarming-client', version });
  const stateDirWatch = await watchStateDir(stateDir, degraded);
  closers.add('state directory', () => stateDirWatch.close());
  const audit = new AuditLog(join(stateDir, 'audit'), { clock, degraded });
  closers.add('audit log', () => audit.close());

  const metadata = new MetadataClient({
    urls: () => [metadataUrl, slice()?.services['metadata-server'] ?? metadataUrl],
    localAddress,
    now: () => clock.now(),
    onClockOffset: (seconds) => clockOffset.is(seconds),
  });
  const source =
    rackFile === undefined
      ? sliceFromMetadata(metadata)
      : await sliceFromFile({ file: rackFile, machine: name, stateDir, log });
  const identity = new IdentityKeeper({ machine: name, stateDir, source, log, onChange: follow });
  closers.add('identity', () => identity.stop());
  const slice = () => identity.get().slice;
  const whyUnknown = () => identity.get().why ?? 'nobody was asked';

  const machine = keepMachine({
    name,
    stateDir,
    slice,
    whyUnknown,
    task: () => task.get(),
    isStopping: () => isStopping,
    botRestart() {
      const { state, why } = bot.view();
      return state === 'stopping' ? (why ?? 'it was asked for') : undefined;
    },
    clockOffset: () => clockOffset.get(),
    localAddress,
    powerCyclePort: options.powerCyclePort,
    run,
    clock,
    log,
    closers,
    onLook: ({ kind, state }, seconds) => metrics.looked(kind, state, seconds),
  });

  function botSaid(level: 'info' | 'warn', text: string): void {
    lines.add('bot', text, new Date(clock.now()));
    log[level]({ line: text }, botSays);
  }
  const errors = new RepeatedErrors({ clock, emit: (text) => botSaid('warn', text) });
  const bot: Bot = new Bot({
    settings() {
      const known = slice();
      const found = known && botSettingsOf(known);
      return found && isHurried ? { ...found, taskGraceSeconds: 0 } : found;
    },
    whyNoSettings: () => (slice() === undefined ? `not known yet: ${whyUnknown()}` : noServer),
    botId: name,
    hookUrl: () => `http://127.0.0.1:${doors.hookPort}`,
    token: (signal) => metadata.token(signal),
    localAddress,
    taskRunning: () => task.get().running,
    clock,
    log,
    run,
    onLine({ stream, text }) {
      if (stream === 'stderr') errors.add(text);
      else botSaid('info', text);
    },
    onChange: () => machine.look(),
    onExit() {
      const { running } = task.get();
      // Whatever it ran is swept away with it; no hook will tell of its end.
      task.end();
      if (running && !isStopping) machine.taskEnded();
      machine.look();
    },
    rebootHost: reboot,
  });

  /** What rack.yaml says of this machine is another or known at last; or only why it is not known is. */
  function follow({ slice: known, why }: KnownIdentity, before: KnownIdentity): void {
    if (known !== undefined && why === undefined) degraded.clear('identity');
    else degraded.raise('identity', whyUnknown());
    if (known === before.slice) {
      machine.look();
      return;
    }
    machine.follow();
    // It would end a pause before the next start of the bot.
    bot.settingsChanged();
  }

  function whyNoReboot(): string | undefined {
    if (proc === undefined) return 'this agent was started without a way to reboot its machine';
    if (slice()?.swarming.reboot === 'refuse') return 'rack.yaml has `reboot: refuse` for it';
    return undefined;
  }

  function reboot(why: string): void {
    const refused = whyNoReboot();
    if (proc === undefined || refused !== undefined) {
      log.warn({ why, refused }, 'the machine is not rebooted');
      return;
    }
    isStopping = true;
    machine.look();
    bot
      .stop()
      .then(() => rebootMachine(why, { run, proc, log }))
      .then(() => pause(rebootWithinMs))
      .then(() => Promise.reject(new Error('it was told to, and nothing happened')))
      .catch((error: unknown) => {
        log.error({ why: errorText(error) }, 'the machine does not reboot');
        options.onNotRebooted?.();
      });
  }

  const status = (): AgentStatus =>
    shownStatus({
      name,
      bootId,
      task: task.get(),
      bot: bot.view(),
      machine: machine.view(),
      identity: identity.get(),
      version,
    });
  const metrics: Metrics = createMetrics(registry, () => ({
    bot: bot.view(),
    counts: bot.counts(),
    task: task.get(),
    machine: machine.view(),
    isKnown: slice() !== undefined,
    now: new Date(clock.now()),
  }));
  const startedAt = new Date(clock.now());
  const readiness = () =>
    readinessOf({
      isKnown: slice() !== undefined,
      whyUnknown: whyUnknown(),
      startedAt,
      isStopping,
      told: degraded.list(),
      bot: bot.view(),
      health: machine.view().health,
    });
  addDegraded(registry, () => readiness().degraded);

  const doors = await openDoors({
    machine: name,
    flags: options,
    hooks: {
      view() {
        const { devices, dimensions, health } = machine.view();
        const known = slice();
        const rest = { devices, host: dimensions, health, version };
        return { machine: name, slice: known, whyUnknown: whyUnknown(), ...rest };
      },
      onHook(hook, ok, seconds) {
        metrics.hook(hook, ok, seconds);
        bot.hookCalled(hook);
      },
      beforeTask(id) {
        task.begin(id);
        metrics.taskBegun();
        machine.look();
      },
      afterTask() {
        task.end();
        bot.taskEnded();
        machine.taskEnded();
      },
      log,
      clock,
    },
    api: {
      status,
      task: () => task.get(),
      lines,
      usb: machine.usb,
      clear: () => machine.clear(),
      whyNoReboot,
      reboot,
    },
    readiness,
    access: () => slice()?.agent,
    metrics: registry,
    audit,
    version,
    log,
    closers,
  });
  await machine.start();
  await identity.start();
  bot.start();
  log.info({ ...doors, machine: name, version }, 'listening');

  let stopped: Promise<void> | undefined;
  async function stop() {
    isStopping = true;
    machine.look();
    // The hooks are served until it has ended.
    await bot.stop();
    const within = slice()?.swarming.stopWithin ?? usualStopWithin;
    await closers.closeAll(within * 1000, log);
  }
  return {
    ...doors,
    async stop(how) {
      isHurried ||= how.isHurried;
      // Once more, with less time than before.
      if (stopped !== undefined && isHurried) void bot.stop();
      stopped ??= stop();
      await stopped;
    },
  };
}
