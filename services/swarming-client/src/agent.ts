/** Connects the parts of the agent, which make the decisions. */
import { join } from 'node:path';
import { readBootId, repeat } from '@skolo/base';
import { type RunCommand, runCommand } from '@skolo/base/run-command';
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
  systemClock,
  watchStateDir,
} from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { Registry } from 'prom-client';
import { Bot } from './bot/bot.ts';
import { botSettingsOf, noServer } from './bot/bot-settings.ts';
import { logEvent } from './event-log.ts';
import type { AgentEvent } from './events.ts';
import { type Flags, localAddressOf } from './flags.ts';
import { Jobs } from './hooks/jobs.ts';
import { Task } from './hooks/task.ts';
import { Reboot } from './host/reboot.ts';
import { signedAccess } from './http/signed-access.ts';
import { partFromFile } from './identity/from-file.ts';
import { partFromMetadata } from './identity/from-metadata.ts';
import { IdentityKeeper, type PartSource } from './identity/identity.ts';
import { ClockOffset, MetadataClient } from './identity/metadata-client.ts';
import { Machine } from './machine.ts';
import { createMetrics } from './metrics.ts';
import { openServers, type Ports } from './servers.ts';
import { collectBotLines, RecentLines } from './status/recent-lines.ts';
import { Revisions } from './status/revision.ts';
import { type AgentNow, agentStatus, hookView, readinessOf } from './status/status.ts';

export interface AgentOptions extends Omit<Flags, 'check' | 'logLevel' | 'powerCyclePort'> {
  powerCyclePort?: number | undefined;
  log: Logger;
  /** What the status port shows from the log. */
  lines?: RecentLines;
  metrics: Registry;
  /** The machine's uptime as others see it; default: that of this computer. */
  bootId?: string | undefined;
  clock?: Clock;
  /** Usually /proc, whose kernel reboots the machine. No default, so that no test reboots its machine. */
  proc?: string;
  /** The machine did not reboot, and its bot has ended: the agent must end, and be restarted. */
  onNotRebooted?: () => void;
}

export interface RunningAgent extends Ports {
  /** Accepts no new task, lets a running one finish within its grace time unless hurried, and ends everything. */
  stop(how: { isHurried: boolean }): Promise<void>;
}

/** They make no changes that a caller could wait for. */
const frequent = new Set<AgentEvent['type']>(['bot-line', 'hook', 'clock-compared']);
/** Bytes of a program's output that are parsed; phones print up to 100 KiB. */
const mostBytes = 256 * 1024;
/** Seconds for everything except the bot, once that has ended. */
const usualStopWithin = 10;
/** How soon a job counts as ended after its process. */
const jobSeconds = 5;

/**
 * Runs the agent in this process, without touching the process itself: no flags, signals, exit codes.
 *
 * @throws ListenError A port is not available.
 * @throws RackError With `rackFile`, if it is not valid.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const agent = new Agent(options);
  try {
    const ports = await agent.start();
    return { ...ports, stop: (how) => agent.stop(how) };
  } catch (error) {
    await agent.close(0);
    throw error;
  }
}

class Agent {
  private readonly options: AgentOptions;
  private readonly clock: Clock;
  private readonly bootId: string | undefined;
  private readonly lines: RecentLines;
  private readonly startedAt: Date;
  private readonly events = createEvents<AgentEvent>();
  private readonly closers = new Closers();
  private readonly stopping = new AbortController();
  private readonly degraded: DegradedList;
  private readonly task: Task;
  private readonly jobs: Jobs;
  private readonly clockOffset: ClockOffset;
  private readonly identity: IdentityKeeper;
  private readonly metadata: MetadataClient;
  private readonly bot: Bot;
  private readonly machine: Machine;
  private readonly reboot: Reboot;
  private readonly revisions = new Revisions(() => this.view());
  private stopped: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    const { machine: name, stateDir, log, metadataUrl } = options;
    const { clock = systemClock, bootId = readBootId() } = options;
    const { emit } = this.events;
    const run: RunCommand = (file, args, more) => runCommand(file, args, { mostBytes, ...more });
    const localAddress = localAddressOf(options.host);
    this.options = options;
    this.clock = clock;
    this.bootId = bootId;
    this.lines = options.lines ?? new RecentLines();
    this.startedAt = new Date(clock.now());
    this.degraded = new DegradedList({ clock, log });
    this.task = new Task({ clock, emit });
    this.jobs = new Jobs({ stateDir, clock, bootId, task: this.task, log });
    this.clockOffset = new ClockOffset(clock);
    this.identity = new IdentityKeeper({ machine: name, stateDir, log, emit });
    this.metadata = new MetadataClient({
      urls: () => [metadataUrl, this.part()?.services['metadata-server'] ?? metadataUrl],
      localAddress,
      now: () => clock.now(),
      emit,
    });
    this.bot = new Bot({
      settings: () => botSettingsOf(this.part()),
      whyNoSettings: () =>
        this.part()
          ? noServer
          : `this machine's entry in rack.yaml is not known yet: ${this.identity.whyUnknown()}`,
      botId: name,
      token: (signal) => this.metadata.token(signal),
      localAddress,
      taskRunning: () => this.task.get().running,
      clock,
      log,
      emit,
      run,
    });
    const { identity, task, jobs, bot, clockOffset, stopping } = this;
    const { powerCyclePort, proc, onNotRebooted = () => undefined } = options;
    this.machine = new Machine({
      name,
      stateDir,
      identity,
      task,
      bot,
      clockOffset,
      isStopping: () => stopping.signal.aborted,
      localAddress,
      powerCyclePort,
      run,
      clock,
      log,
      emit,
    });
    const whyRejected = () =>
      this.part()?.swarming.reboot === 'reject'
        ? 'rack.yaml has `reboot: reject` for this machine'
        : (this.machine.whyNotActing() ?? jobs.whyNotRebooting());
    this.reboot = new Reboot({ run, proc, whyRejected, bot, stopping, log, emit, onNotRebooted });
  }

  async start(): Promise<Ports> {
    const { closers, identity, machine, jobs, degraded } = this;
    const { log, metrics, stateDir } = this.options;
    addBuildInfo(metrics, { service: 'swarming-client', version: ownVersion });
    const stateDirWatch = await watchStateDir(stateDir, degraded);
    closers.add('state directory', () => stateDirWatch.close());
    const audit = new AuditLog(join(stateDir, 'audit'), { clock: this.clock, degraded, metrics });
    closers.add('audit log', () => audit.close());
    const source = await this.openSource();
    closers.add('identity', () => identity.stop());
    machine.closeWith(closers);
    closers.add('jobs', () => jobs.close());
    addDegraded(metrics, () => readinessOf(this.view()).degraded);
    this.connect();
    // Before anybody can ask whether a task is running.
    await jobs.open();
    repeat(jobSeconds * 1000, () => jobs.endLost(), this.stopping.signal);
    const ports = await this.openServers(audit);
    closers.add('clients waiting for changes', () => this.revisions.stop());
    await machine.start();
    await identity.start(source);
    this.bot.start(`http://127.0.0.1:${ports.hookPort}`);
    log.info({ ...ports, machine: this.options.machine, version: ownVersion }, 'listening');
    return ports;
  }

  /** A second, hurried call leaves the bot less time. */
  async stop({ isHurried }: { isHurried: boolean }): Promise<void> {
    if (this.stopped !== undefined && isHurried) void this.bot.stop({ isHurried });
    this.stopped ??= this.stopNow(isHurried);
    await this.stopped;
  }

  async close(withinMs: number): Promise<void> {
    await this.closers.closeAll(withinMs, this.options.log);
  }

  private async stopNow(isHurried: boolean): Promise<void> {
    this.stopping.abort();
    this.events.emit({ type: 'facts' });
    // The hooks are served until it has ended.
    await this.bot.stop({ isHurried });
    await this.close((this.part()?.swarming.stopWithin ?? usualStopWithin) * 1000);
  }

  private part(): MachinePart | undefined {
    return this.identity.machinePart();
  }

  private view(): AgentNow & { isKnown: boolean } {
    return {
      name: this.options.machine,
      bootId: this.bootId,
      version: ownVersion,
      startedAt: this.startedAt,
      now: new Date(this.clock.now()),
      isStopping: this.stopping.signal.aborted,
      isKnown: this.part() !== undefined,
      identity: this.identity.get(),
      raised: this.degraded.list(),
      task: this.task.get(),
      bot: this.bot.view(),
      machine: this.machine.view(),
    };
  }

  /** Where the machine's part of rack.yaml comes from. @throws RackError */
  private async openSource(): Promise<PartSource> {
    const { machine, rackFile: file, stateDir, log } = this.options;
    if (file === undefined) return partFromMetadata(this.metadata);
    return await partFromFile({ file, machine, stateDir, log });
  }

  private connect(): void {
    const { log, metrics } = this.options;
    const collect = collectBotLines({ lines: this.lines, clock: this.clock, log });
    const count = createMetrics(metrics, () => this.view());
    // All that an event leads to, in this order.
    this.events.consume((event) => {
      this.machine.follow(event);
      logEvent(log, event);
      collect(event);
      count(event);
      this.follow(event);
      // Last, after the others have made their changes.
      if (!frequent.has(event.type)) this.revisions.update();
    });
  }

  /** What one part's events mean for others. Those of the machine are in machine.ts. */
  private follow(event: AgentEvent): void {
    const { identity, degraded, bot, clockOffset, reboot, task, machine } = this;
    if (event.type === 'identity') {
      if (event.now.machinePart && event.now.why === undefined) degraded.clear('identity');
      else degraded.raise('identity', identity.whyUnknown());
      // It would end a pause before the bot's next start.
      if (event.now.machinePart !== event.before.machinePart) bot.settingsChanged();
    } else if (event.type === 'clock-compared') clockOffset.set(event.offsetSeconds);
    else if (event.type === 'hook') bot.hookCalled(event.hook);
    // The bot's request. The power-cycle daemon checks for jobs itself before it requests a reboot.
    else if (event.type === 'reboot-requested') reboot.start(event.why, machine.job());
    else if (event.type === 'task-ended') bot.taskEnded();
    // Its task has ended with it, and no hook will report that.
    else if (event.type === 'bot-exited' && task.get().running) task.end('bot-exit');
  }

  private openServers(audit: AuditLog): Promise<Ports> {
    const { task, jobs, machine, reboot, revisions, clock, closers, lines } = this;
    const { log, metrics, machine: name } = this.options;
    const machinePart = () => this.part();
    return openServers({
      flags: this.options,
      version: ownVersion,
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
      hooks: { work: { view: () => hookView(this.view()), task, jobs }, emit: this.events.emit },
      api: { task, lines, reboot, machine, revisions, status: () => agentStatus(this.view()) },
      readiness: () => readinessOf(this.view()),
    });
  }
}
