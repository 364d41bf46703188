/**
 * Follows one agent, and limits what it may report: repeated requests that each wait for its next change. Strangers have root on its
 * machine, so its answers are limited in size, time and number, and only speak for that machine.
 */
import {
  type AgentStatus,
  ApiUnreachable,
  type Client,
  createClient,
  type Fetch,
  swarmingClientApi,
} from '@skolo/api';
import { backOffMs, errorText, pause } from '@skolo/base';
import { type Clock, wallTime } from '@skolo/common';
import { sharedSilenceSeconds } from '../join/condition.ts';
import { cut, given } from '../join/machine.ts';
import type { AgentView } from '../join/sources.ts';

export interface AgentTuning {
  /** How long the agent may wait for a change before it answers. */
  waitSeconds: number;
  /** The additional time that it has to answer. */
  answerMs: number;
  /** Minimum time between two requests. */
  gapMs: number;
  /** Maximum time between attempts to reach it. */
  retryMs: number;
}

export const usualTuning: AgentTuning = {
  waitSeconds: 40,
  answerMs: 5000,
  gapMs: 500,
  retryMs: 5000,
};

/** A status with ten phones takes 20 kB. */
export const mostBytes = 128 * 1024;

/** Smaller moves of the wall clock do not change the time of an answer. */
const jitterMs = 5000;

interface AgentWatchDeps {
  machine: string;
  url: string;
  tuning: AgentTuning;
  clock: Clock;
  fetch: Fetch;
  /** After this time without an answer, a machine is stale. */
  staleSeconds(): number;
  /** It answered, or started or stopped failing. */
  onView(): void;
}

export class AgentWatch {
  readonly url: string;
  private readonly deps: AgentWatchDeps;
  private readonly client: Client<typeof swarmingClientApi>;
  private readonly stopping = new AbortController();
  private status: AgentStatus | undefined;
  private seenAt: number | undefined;
  private heardAt: number;
  private why: string | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(deps: AgentWatchDeps) {
    this.deps = deps;
    this.url = deps.url;
    const { url: baseUrl, fetch } = deps;
    this.client = createClient(swarmingClientApi, { baseUrl, mostBytes, fetch });
    this.heardAt = deps.clock.uptime();
  }

  start(): void {
    this.running = this.run();
  }

  view(): AgentView {
    const { status, why } = this;
    const { clock, staleSeconds } = this.deps;
    const limit = sharedSilenceSeconds({ staleSeconds: staleSeconds() });
    const silentSeconds = clock.presence.ageOf(this.heardAt, limit);
    return { ...given({ status, seenAt: this.lastSeen(), why }), silentSeconds };
  }

  /** By the current wall clock, if that was set meanwhile. */
  private lastSeen(): number | undefined {
    const at = wallTime(this.deps.clock, this.heardAt);
    const isMoved = this.seenAt !== undefined && Math.abs(at - this.seenAt) > jitterMs;
    if (isMoved) this.seenAt = at;
    return this.seenAt;
  }

  async close(): Promise<void> {
    this.stopping.abort(new Error('the agent is no longer watched'));
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { tuning } = this.deps;
    for (let failures = 0; !signal.aborted; ) {
      const begun = performance.now();
      const hasAnswered = await this.ask(signal);
      failures = hasAnswered ? 0 : failures + 1;
      const pauseMs = hasAnswered
        ? begun + tuning.gapMs - performance.now()
        : backOffMs(failures, { firstMs: tuning.gapMs, maxMs: tuning.retryMs });
      if (pauseMs > 0) await pause(pauseMs, signal).catch(() => undefined);
    }
  }

  private async ask(signal: AbortSignal): Promise<boolean> {
    const { machine, tuning, clock, staleSeconds, onView } = this.deps;
    const { answerMs } = tuning;
    // There is time for another request before the machine is stale.
    const waitSeconds = Math.min(tuning.waitSeconds, (staleSeconds() * 2) / 3);
    // After a failure it may have another state, and answers immediately.
    const after = this.why === undefined ? this.status?.revision : undefined;
    try {
      const status = await this.client.status({
        ...(after !== undefined && { query: { after, waitSeconds } }),
        timeoutMs: answerMs + (after === undefined ? 0 : waitSeconds * 1000),
        signal,
      });
      if (status.machine !== machine) {
        throw new Error(`the agent on ${JSON.stringify(status.machine)} responds at its address`);
      }
      this.status = status;
      this.seenAt = clock.now();
      this.heardAt = clock.uptime();
      this.why = undefined;
      onView();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const isNew = this.why === undefined;
      // The agent itself may have explained a rejection. The address is a field of its machine.
      this.why = cut(error instanceof ApiUnreachable ? error.why : errorText(error));
      if (isNew) onView();
      return false;
    }
  }
}
