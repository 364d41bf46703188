/**
 * Keeps the Swarming bot running, and decides when it is restarted and after which pause: after every exit, after a failed download or
 * start, when it is silent, and when its settings change. When it updates or restarts itself it keeps its pid, so these are not exits.
 */

import { backOffMs, errorText, pause } from '@skolo/base';
import { BotRun } from './bot-run.ts';
import {
  type BotDeps,
  type BotLimits,
  type BotSettings,
  botLimits,
  noBot,
} from './bot-settings.ts';
import type { BotExit, BotView } from './bot-view.ts';

type Change = Partial<Pick<BotView, 'why' | 'server' | 'nextStartAt' | 'failing'>>;

export class Bot {
  private readonly deps: BotDeps;
  private readonly limits: BotLimits;
  private readonly stopped = new AbortController();
  private loop: Promise<void> | undefined;
  private current: BotRun | undefined;
  private wake: () => void = () => undefined;
  private known: BotView;
  /** When the bot started, called a hook or was seen with a task, in seconds since boot. */
  private lastSignAt = 0;

  constructor(deps: BotDeps) {
    this.deps = deps;
    this.limits = { ...botLimits, ...deps.limits };
    const since = new Date(deps.clock.now());
    this.known = { state: 'waiting', since, isHealthy: false, starts: 0 };
  }

  /**
   * Runs until it is stopped.
   *
   * @param hookUrl `http://127.0.0.1:PORT`; the bot receives it as SKOLO_HOOK_URL
   */
  start(hookUrl: string): void {
    this.loop ??= this.keepRunning(hookUrl).catch((error: unknown) => {
      this.deps.log.error({ err: error }, 'bot supervision failed');
    });
  }

  view(): BotView {
    return this.known;
  }

  /** A sign of health: the next pause is the shortest again. */
  hookCalled(hook: string): void {
    const { current, known } = this;
    if (current === undefined || known.pid === undefined) return;
    current.hookCalled(hook);
    this.lastSignAt = this.deps.clock.uptime();
    if (known.state === 'silent') return;
    if (!known.isHealthy) this.update({ ...known, isHealthy: true, failing: undefined });
  }

  /** A hook reported that a task has ended. */
  taskEnded(): void {
    this.current?.taskEnded();
  }

  /** Compares the settings immediately, instead of every few seconds. */
  settingsChanged(): void {
    const { current } = this;
    const settings = this.deps.settings();
    if (current === undefined) this.wake();
    else if (settings === 'none') void this.restart(noBot);
    else if (settings !== undefined) {
      const others = changedKeys(current.settings, settings);
      if (others.length > 0) void this.restart(`changed settings: ${others.join(', ')}`);
    }
  }

  /** Ends the bot in order, after its task, however long that takes. Then its settings apply. Fulfilled when it has ended. */
  async restart(why: string): Promise<void> {
    const { current } = this;
    if (current === undefined) return this.wake();
    if (this.stopped.signal.aborted) return;
    if (this.known.state !== 'stopping') {
      this.deps.emit({ type: 'bot-restarting', why });
      if (this.known.pid !== undefined && this.known.state !== 'silent')
        this.change('stopping', { why });
    }
    await current.end(Number.POSITIVE_INFINITY);
  }

  /** Fulfilled when none of the bot's processes is alive. A task may continue for `taskGraceSeconds`, unless hurried. */
  async stop({ isHurried = false } = {}): Promise<void> {
    const { current, deps } = this;
    this.stopped.abort();
    this.wake();
    if (current !== undefined) {
      this.change('stopping', { why: 'the agent is stopping' });
      const settings = deps.settings();
      const { taskGraceSeconds } = typeof settings === 'object' ? settings : current.settings;
      await current.end(isHurried ? 0 : taskGraceSeconds);
    }
    await this.loop;
    this.change('stopped', {});
  }

  private async keepRunning(hookUrl: string): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const settings = this.deps.settings();
      if (typeof settings !== 'object') {
        const why = this.deps.whyNoSettings?.() ?? 'the settings are not yet known';
        if (settings === undefined) this.change('waiting', { why });
        else this.change('none', { why: noBot, server: undefined, failing: undefined });
        await this.sleep(this.limits.lookMs);
        continue;
      }
      const why = await this.runOnce(settings, hookUrl);
      if (why !== undefined) await this.backOff(settings, why);
    }
  }

  /** Fulfilled with the reason for the current pause. */
  private async runOnce(settings: BotSettings, hookUrl: string): Promise<string | undefined> {
    const { deps } = this;
    const run = new BotRun(settings, hookUrl, deps, (pid) => this.started(pid));
    this.current = run;
    this.change('fetching', { server: settings.server });
    const look = setInterval(() => {
      this.settingsChanged();
      this.warnIfSilent(run);
    }, this.limits.lookMs);
    try {
      const { exit, text } = await run.run();
      this.exited(exit, text);
      return exit === 'stopped' ? undefined : text;
    } catch (error) {
      if (run.isGivenUp) return undefined;
      const why = errorText(error);
      deps.emit({ type: 'bot-not-started', why });
      return why;
    } finally {
      clearInterval(look);
      if (this.stopped.signal.aborted) await run.sweep();
      this.current = undefined;
    }
  }

  /** A hanging bot has a process, and looks well except for its hooks. */
  private warnIfSilent(run: BotRun): void {
    const { clock, emit } = this.deps;
    const seconds = clock.uptime() - this.lastSignAt;
    if (this.known.state !== 'running' || seconds * 1000 < this.limits.silentMs) return;
    if (run.hasTask()) {
      this.lastSignAt = clock.uptime();
      return;
    }
    const why = `the bot has not called a hook for ${Math.floor(seconds / 60)} min and is not running a task`;
    emit({ type: 'bot-silent', why });
    this.update({ ...this.known, isHealthy: false });
    this.change('silent', { why });
    void run.endSilent();
  }

  private started(pid: number): void {
    const { clock, emit } = this.deps;
    this.lastSignAt = clock.uptime();
    const { starts, server, lastExit, state, failing } = this.known;
    const startedAt = new Date(clock.now());
    emit({ type: 'bot-started', pid, server });
    this.update({
      state: state === 'stopping' ? state : 'running',
      since: startedAt,
      startedAt,
      pid,
      isHealthy: false,
      starts: starts + 1,
      server,
      lastExit,
      failing,
    });
  }

  private exited(exit: BotExit, text: string): void {
    const { clock, emit } = this.deps;
    const { pid: _, startedAt: __, ...rest } = this.known;
    const lastExit = { at: new Date(clock.now()), why: exit, text };
    this.update({ ...rest, isHealthy: false, lastExit });
    emit({ type: 'bot-exited', exit, text });
  }

  private async backOff({ backoffSeconds }: BotSettings, why: string): Promise<void> {
    if (this.stopped.signal.aborted) return;
    const now = this.deps.clock.now();
    const { since = new Date(now), starts = 0 } = this.known.failing ?? {};
    const failing = { since, starts: starts + 1, why };
    const ms = backOffMs(failing.starts, {
      firstMs: backoffSeconds.first * 1000,
      maxMs: backoffSeconds.most * 1000,
    });
    this.change('backing-off', { why, nextStartAt: new Date(now + ms), failing });
    await this.sleep(ms);
  }

  /** Ends early when it is stopped, or when something has changed. */
  private async sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    if (this.stopped.signal.aborted) return;
    await pause(ms, woken.signal).catch(() => undefined);
  }

  private change(state: BotView['state'], change: Change): void {
    const { why: _, nextStartAt: __, since, ...rest } = this.known;
    const isSame = state === rest.state;
    this.update({
      ...rest,
      ...change,
      state,
      since: isSame ? since : new Date(this.deps.clock.now()),
    });
  }

  private update(view: BotView): void {
    this.known = view;
    this.deps.emit({ type: 'bot' });
  }
}

/** The settings that a bot gets at its start. */
function changedKeys(one: BotSettings, other: BotSettings): string[] {
  return (['server', 'python', 'botDir', 'reboot'] as const).filter(
    (key) => one[key] !== other[key],
  );
}
