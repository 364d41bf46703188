/** The agent, wired: start() opens, connects and returns; the parts decide. */
import { join } from 'node:path';
import {
  AuditLog,
  addBuildInfo,
  addDegraded,
  type Clock,
  Closers,
  createEvents,
  DegradedList,
  type Logger,
  ownVersion,
  readBootId,
  systemClock,
  watchStateDir,
} from '@skolo/common/light';
import type { Registry } from 'prom-client';
import { Bot } from './bot/bot.ts';
import { botSettingsOf, noServer } from './bot/bot-settings.ts';
import { logEvent } from './event-log.ts';
import type { AgentEvent } from './events.ts';
import { type Flags, localAddressOf } from './flags.ts';
import { Task } from './hooks/task.ts';
import { Reboot } from './host/reboot.ts';
import { createRunCommand } from './host/run-command.ts';
import { openServers, type Ports } from './http/servers.ts';
import { signedAccess } from './http/signed-access.ts';
import { partFromFile } from './identity/from-file.ts';
import { partFromMetadata } from './identity/from-metadata.ts';
import { IdentityKeeper, type PartSource } from './identity/identity.ts';
import { ClockOffset, MetadataClient } from './identity/metadata-client.ts';
import { type MachineDeps, openMachine } from './machine.ts';
import { createMetrics } from './metrics.ts';
import { keepBotLines, RecentLines } from './status/recent-lines.ts';
import { Revisions } from './status/revision.ts';
import { agentStatus, hookView, readinessOf } from './status/status.ts';

export interface AgentOptions extends Omit<Flags, 'check' | 'logLevel' | 'powerCyclePort'> {
  powerCyclePort?: number | undefined;
  log: Logger;
  /** What the status port shows of the log. */
  lines?: RecentLines;
  metrics: Registry;
  version?: string | undefined;
  /** Of the machine as others see it; by default that of this computer. */
  bootId?: string | undefined;
  clock?: Clock;
  /** Usually /proc, whose kernel reboots the machine. There is no default, so that no test reboots its machine. */
  proc?: string;
  /** The machine did not reboot, and its bot has ended: the agent has to end, and to be started again. */
  onNotRebooted?: () => void;
}

export interface RunningAgent extends Ports {
  /** Accepts no new task, lets a running one finish for its grace time unless it is hurried, and ends everything. */
  stop(how: { isHurried: boolean }): Promise<void>;
}

/** They change nothing that a caller could wait for. */
const frequent = new Set<AgentEvent['type']>(['bot-line', 'hook', 'clock-compared']);
/** Seconds for everything but the bot, once that has ended. */
const usualStopWithin = 10;

/**
 * Runs the agent in this process, without touching the process: no flags, signals, exit codes.
 *
 * @throws ListenError A port is not available.
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
  const { machine: name, stateDir, log, proc, metrics, powerCyclePort } = options;
  const { clock = systemClock, version = ownVersion(), bootId = readBootId() } = options;
  const { lines = new RecentLines(), onNotRebooted = () => undefined } = options;
  const { emit, consume } = createEvents<AgentEvent>();
  const parts = { clock, log, emit, consume, run: createRunCommand() };
  const localAddress = localAddressOf(options.host);
  const startedAt = new Date(clock.now());
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  const degraded = new DegradedList(parts);
  addBuildInfo(metrics, { service: 'swarming-client', version });
  const audit = await openAudit(stateDir, { clock, degraded, metrics, closers });

  const task = new Task(parts);
  const clockOffset = new ClockOffset(clock);
  const identity = new IdentityKeeper({ ...parts, machine: name, stateDir });
  const machinePart = () => identity.machinePart();
  const { source, token } = await openSource(options, { identity, localAddress, clock, emit });
  closers.add('identity', () => identity.stop());
  const bot = new Bot({
    ...parts,
    settings: () => botSettingsOf(machinePart()),
    whyNoSettings: () => (machinePart() ? noServer : `not known yet: ${identity.whyUnknown()}`),
    botId: name,
    token,
    localAddress,
    taskRunning: () => task.get().running,
  });
  const shared = { ...parts, name, stateDir, identity, task, bot, clockOffset, closers };
  const machine = openMachine({ ...shared, isStopping, localAddress, powerCyclePort });
  const isRefused = () => machinePart()?.swarming.reboot === 'refuse';
  const reboot = new Reboot({ ...parts, proc, isRefused, bot, stopping, onNotRebooted });

  const view = () => ({
    name,
    bootId,
    version,
    startedAt,
    now: new Date(clock.now()),
    isStopping: isStopping(),
    isKnown: machinePart() !== undefined,
    identity: identity.get(),
    raised: degraded.list(),
    task: task.get(),
    bot: bot.view(),
    machine: machine.view(),
  });
  const revisions = new Revisions(view);
  addDegraded(metrics, () => readinessOf(view()).degraded);
  consume((event) => logEvent(log, event));
  consume(keepBotLines({ lines, clock, log }));
  consume(createMetrics(metrics, view));
  consume((event) => react(event, { ...shared, degraded, reboot }));
  // Last, when the others have made their changes.
  consume(({ type }) => {
    if (!frequent.has(type)) revisions.look();
  });

  const ports = await openServers({
    flags: options,
    version,
    closers,
    jumphostUrls: () => Object.values(machinePart()?.services ?? {}),
    core: {
      log,
      metrics,
      audit,
      self: name,
      access: signedAccess({ machine: name, machinePart, clock }),
      rack: {
        get rack() {
          const known = machinePart();
          return known && { name: known.rack };
        },
      },
    },
    hooks: { view: () => hookView(view()), task, emit },
    api: {
      task: () => task.get(),
      lines,
      usb: machine.usb,
      reboot,
      status: () => agentStatus(view()),
      clear: () => machine.clear(),
      setOrders: (orders) => machine.setOrders(orders),
      repair: (wanted) => machine.repair(wanted),
      revisions,
      screens: machine.screens,
    },
    readiness: () => readinessOf(view()),
  });
  closers.add('callers that wait for a change', () => revisions.stop());
  await machine.start();
  await identity.start(source);
  bot.start(`http://127.0.0.1:${ports.hookPort}`);
  log.info({ ...ports, machine: name, version }, 'listening');

  async function stop(isHurried: boolean): Promise<void> {
    stopping.abort();
    emit({ type: 'facts' });
    // The hooks are served until it has ended.
    await bot.stop({ isHurried });
    const within = machinePart()?.swarming.stopWithin ?? usualStopWithin;
    await closers.closeAll(within * 1000, log);
  }
  return { ...ports, stop: stopOnce(stop, bot) };
}

/** Watches the state folder, and opens the audit log in it. */
async function openAudit(
  stateDir: string,
  { closers, ...deps }: ConstructorParameters<typeof AuditLog>[1] & { closers: Closers },
): Promise<AuditLog> {
  const watch = await watchStateDir(stateDir, deps.degraded);
  closers.add('state directory', () => watch.close());
  const audit = new AuditLog(join(stateDir, 'audit'), deps);
  closers.add('audit log', () => audit.close());
  return audit;
}

/** Where the identity of the machine comes from, and the tokens of its account. @throws RackError */
async function openSource(
  { machine, rackFile, metadataUrl, stateDir, log }: AgentOptions,
  deps: Pick<MachineDeps, 'identity' | 'localAddress' | 'clock' | 'emit'>,
): Promise<{ source: PartSource; token: (signal: AbortSignal) => Promise<string> }> {
  const { identity, clock } = deps;
  const metadata = new MetadataClient({
    ...deps,
    urls: () => [metadataUrl, identity.machinePart()?.services['metadata-server'] ?? metadataUrl],
    now: () => clock.now(),
  });
  const source =
    rackFile === undefined
      ? partFromMetadata(metadata)
      : await partFromFile({ file: rackFile, machine, stateDir, log });
  return { source, token: (signal) => metadata.token(signal) };
}

type Reacting = Pick<MachineDeps, 'identity' | 'clockOffset' | 'task'> & {
  bot: Bot;
  degraded: DegradedList;
  reboot: Reboot;
};

/** What events of one part mean for others. Those of the machine are in machine.ts. */
function react(event: AgentEvent, deps: Reacting): void {
  const { identity, degraded, bot, clockOffset, reboot, task } = deps;
  if (event.type === 'identity') {
    if (event.now.machinePart && event.now.why === undefined) degraded.clear('identity');
    else degraded.raise('identity', identity.whyUnknown());
    // It would end a pause before the next start of the bot.
    if (event.now.machinePart !== event.before.machinePart) bot.settingsChanged();
  } else if (event.type === 'clock-compared') clockOffset.set(event.offsetSeconds);
  else if (event.type === 'hook') bot.hookCalled(event.hook);
  else if (event.type === 'reboot-requested') reboot.begin(event.why);
  else if (event.type === 'task-ended') bot.taskEnded();
  // Its task has ended with it, and no hook will report that.
  else if (event.type === 'bot-exited' && task.get().running) task.end('bot-exit');
}

/** A second call that is hurried leaves the bot less time. */
function stopOnce(stop: (isHurried: boolean) => Promise<void>, bot: Bot): RunningAgent['stop'] {
  let stopped: Promise<void> | undefined;
  return async ({ isHurried }) => {
    if (stopped !== undefined && isHurried) void bot.stop({ isHurried });
    stopped ??= stop(isHurried);
    await stopped;
  };
}
