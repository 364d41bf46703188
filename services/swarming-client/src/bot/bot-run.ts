/** One start of the bot, from locking its directory until none of its processes is left. */
import { errorText, settlesWithin } from '@skolo/base';
import { prepareFolder } from './bot-folder.ts';
import { type BotDeps, type BotLimits, type BotSettings, botLimits } from './bot-settings.ts';
import { type BotExit, type Ending, exitOf, exitText } from './bot-view.ts';
import { endInOrder } from './end-in-order.ts';
import { botEnvironment } from './environment.ts';
import { type InitEvent, InitProcess } from './init-process.ts';
import { checkZip, ensureZip, type InstallDeps, zipOf } from './install.ts';
import { whyNotPython } from './python.ts';
import { endTree, runsTask, type Swept, sweep, sweepLostInits } from './sweep.ts';

interface RunEnd {
  exit: BotExit;
  text: string;
}

const killMs = 25_000;
const askedAgainSeconds = 60;

export class BotRun {
  readonly settings: BotSettings;
  private readonly hookUrl: string;
  private readonly deps: BotDeps;
  private readonly onStarted: (pid: number) => void;
  private readonly limits: BotLimits;
  private readonly env: NodeJS.ProcessEnv;
  private readonly givenUp = new AbortController();
  private init: InitProcess | undefined;
  private last: InitEvent['event'] | undefined;
  private exited: { status?: number | undefined; signal?: number | undefined } = {};
  private startedAt: number | undefined;
  private graceUntil = Number.POSITIVE_INFINITY;
  private ending: Promise<void> | undefined;
  private rebootAskedAt: number | undefined;
  private lastError: string | undefined;
  private onEvent: () => void = () => undefined;
  private isPrepared = false;
  private wasSilent = false;

  constructor(
    settings: BotSettings,
    hookUrl: string,
    deps: BotDeps,
    onStarted: (pid: number) => void,
  ) {
    this.settings = settings;
    this.hookUrl = hookUrl;
    this.deps = deps;
    this.onStarted = onStarted;
    this.limits = { ...botLimits, ...deps.limits };
    this.env = deps.env ?? process.env;
  }

  /**
   * Fulfilled when the bot and everything that it started have ended.
   *
   * @throws Error With a text for people: it did not start.
   */
  async run(): Promise<RunEnd> {
    const { botDir } = this.settings;
    const { signal } = this.givenUp;
    await prepareFolder(botDir, this.env.HOME);
    this.isPrepared = true;
    signal.throwIfAborted();
    const init = this.startInit();
    try {
      await this.until(init, 'locked');
      this.logSwept(await sweep(botDir, init.pid, signal));
      await ensureZip(this.installDeps());
      signal.throwIfAborted();
      this.startedAt = this.deps.clock.uptime();
      init.send('start');
      await this.until(init, 'started');
    } catch (error) {
      await this.killAll(init);
      if (this.last === 'busy') this.logSwept(await sweepLostInits(botDir));
      throw error;
    }
    await init.ended;
    // It waits for processes that hang in the kernel, and gives up in the end.
    await this.ending;
    return this.result();
  }

  /** SIGTERM; its task may continue for this long. If called again, the shorter time counts. */
  async end(graceSeconds: number): Promise<void> {
    const { clock } = this.deps;
    this.graceUntil = Math.min(this.graceUntil, clock.uptime() + graceSeconds);
    const { init } = this;
    if (init === undefined || this.startedAt === undefined) {
      this.givenUp.abort(new Error('the bot was stopped'));
      return;
    }
    this.ending ??= endInOrder({
      send: (command) => init.send(command),
      ended: init.ended,
      isTaskRunning: () => this.hasTask(),
      graceUntil: () => this.graceUntil,
      limits: this.limits,
      clock,
    }).then(() => this.killAll(init));
    await this.ending;
  }

  /** Ends a hanging bot in order; a task that it begins now after all may continue. */
  async endSilent(): Promise<void> {
    this.wasSilent = true;
    await this.end(Number.POSITIVE_INFINITY);
  }

  /** Ends what its last task left: it would slow down the next one, or block the phone. */
  taskEnded(): void {
    this.init?.send('end-left');
  }

  /** As reported by the hooks, or shown by its processes. */
  hasTask(): boolean {
    const pid = this.init?.pid;
    return this.deps.taskRunning() || (pid !== undefined && runsTask(pid));
  }

  /** Ends what a killed bot_init could not end. */
  async sweep(): Promise<void> {
    if (this.isPrepared) this.logSwept(await sweep(this.settings.botDir, undefined));
  }

  /** It was ended before it started. */
  get isGivenUp(): boolean {
    return this.givenUp.signal.aborted;
  }

  /** A bot that calls a hook is alive, even if it had asked for a reboot. */
  hookCalled(hook: string): void {
    this.rebootAskedAt = hook === 'on_bot_shutdown' ? this.deps.clock.uptime() : undefined;
  }

  private startInit(): InitProcess {
    const { deps, settings, hookUrl } = this;
    const init = new InitProcess({
      python: settings.python,
      botDir: settings.botDir,
      env: botEnvironment(this.env, { botId: deps.botId, hookUrl, settings }),
      onEvent: (event) => this.handle(event),
      onLine: (stream, text) => {
        if (stream === 'stderr' && text.trim() !== '') this.lastError = text.slice(0, 300);
        deps.emit({ type: 'bot-line', stream, text });
      },
    });
    this.init = init;
    return init;
  }

  private handle(event: InitEvent): void {
    const { log } = this.deps;
    this.last = event.event;
    if (event.event === 'locked' && event.warning !== undefined) {
      log.warn({ why: event.warning }, 'bot supervision is limited');
    }
    if (event.event === 'started') this.onStarted(event.pid);
    if (event.event === 'exited') this.exited = { status: event.status, signal: event.signal };
    if (event.event === 'stuck') log.error({ pids: event.pids }, 'bot processes cannot be killed');
    if (event.event === 'left') {
      log.warn({ processes: event.count }, 'killed processes that a finished task had left behind');
    }
    if (event.event === 'reboot') this.handleReboot();
    this.onEvent();
  }

  private handleReboot(): void {
    const { clock, emit } = this.deps;
    const before = this.rebootAskedAt ?? Number.NEGATIVE_INFINITY;
    const isFirst = this.settings.reboot === 'host' && clock.uptime() - before > askedAgainSeconds;
    this.rebootAskedAt = clock.uptime();
    if (isFirst) emit({ type: 'reboot-requested', why: 'requested by the Swarming bot' });
  }

  /** @throws Error It ended instead; or the signal's reason. */
  private async until(init: InitProcess, wanted: 'locked' | 'started'): Promise<void> {
    const { signal } = this.givenUp;
    const reached = new Promise<void>((resolve, reject) => {
      this.onEvent = () => {
        if (this.last === wanted || (wanted === 'started' && this.last === 'exited')) resolve();
      };
      this.onEvent();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
    await Promise.race([
      reached,
      init.ended.then((why) => {
        // Its last event has been read by now.
        if (this.last === wanted || this.last === 'exited') return;
        throw new Error(this.whyNotStarted(why));
      }),
    ]);
  }

  private whyNotStarted(why: string | undefined): string {
    const { botDir, python } = this.settings;
    if (this.last === 'busy')
      return `${botDir} is locked by another agent, or by an earlier bot that is still running`;
    if (this.last === 'rejected')
      return `a bot that another program started is running in ${botDir}; stop it`;
    return whyNotPython(python, why ?? this.lastError);
  }

  private installDeps(): InstallDeps {
    const { deps, settings, limits, env, givenUp } = this;
    const { python, server, botDir } = settings;
    return {
      run: deps.run,
      env,
      python,
      server,
      botDir,
      signal: givenUp.signal,
      botId: deps.botId,
      token: deps.token,
      localAddress: deps.localAddress,
      timeoutMs: limits.checkMs,
      downloadMs: limits.downloadMs,
      stallMs: limits.stallMs,
      emit: deps.emit,
    };
  }

  private logSwept({ ended, stuck }: Swept): void {
    const { log } = this.deps;
    const { botDir } = this.settings;
    if (ended > 0)
      log.warn(
        { botDir, processes: ended },
        'killed processes that a previous bot had left behind',
      );
    if (stuck.length > 0) log.error({ botDir, pids: stuck }, 'bot processes cannot be killed');
  }

  /** None of its processes is left afterwards, in any state. */
  private async killAll(init: InitProcess): Promise<void> {
    init.send('kill');
    if (init.pid === undefined || (await settlesWithin(killMs, init.ended))) return;
    this.logSwept(await endTree(init.pid));
    await settlesWithin(killMs, init.ended);
  }

  private async result(): Promise<RunEnd> {
    const { clock } = this.deps;
    const wasStopped = this.ending !== undefined;
    const isOfSignal = this.exited.status === undefined;
    const ending: Ending = {
      ...this.exited,
      wasStopped,
      wasSilent: this.wasSilent,
      hadAskedForReboot: this.rebootAskedAt !== undefined,
      seconds: clock.uptime() - (this.startedAt ?? clock.uptime()),
      isZipSound: wasStopped || isOfSignal || (await this.isZipSound()),
      lastError: this.lastError === undefined ? undefined : errorText(this.lastError),
    };
    const exit = exitOf(ending);
    return { exit, text: exitText(exit, ending) };
  }

  /** A zip that cannot be checked now is checked before the next start. */
  private async isZipSound(): Promise<boolean> {
    const zip = zipOf(this.settings.botDir);
    const check = await checkZip(zip, this.installDeps()).catch(() => undefined);
    return check?.isSound ?? true;
  }
}
