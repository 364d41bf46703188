/**
 * Reads this machine's holds from the power-cycle daemon: `GET /v1/own-holds`, which identifies a machine by its source address and its key.
 * Without an answer, the last holds count until they end.
 */

import { errorText, parseJson, repeat } from '@skolo/base';
import { Unreachable } from '@skolo/base/request';
import type { Clock, Emit, EventLog } from '@skolo/common/light';
import { z } from 'zod';
import type { AgentEvent } from '../events.ts';
import type { Hold } from '../health/health.ts';
import type { SendRequest } from '../http/signed-request.ts';
import type { PowerCycleDaemon } from './power-cycle-daemon.ts';

const Held = z.object({
  by: z.string(),
  until: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  reason: z.string(),
});
const Answer = z.object({
  holds: z.array(Held.extend({ target: z.string() })),
  /** Absent in the answer of an older daemon. */
  noRepair: z.array(Held.extend({ kind: z.string() })).default([]),
});

interface OwnHoldsDeps {
  daemon: Pick<PowerCycleDaemon, 'urls' | 'hasAnswered'>;
  /** Signs it. */
  request: SendRequest;
  localAddress?: string | undefined;
  clock: Pick<Clock, 'now'>;
  log: Pick<EventLog, 'info'>;
  emit: Emit<AgentEvent>;
}

const everySeconds = 30;
const timeoutMs = 5000;

export class OwnHolds {
  private readonly deps: OwnHoldsDeps;
  private held: z.output<typeof Answer> = { holds: [], noRepair: [] };
  private why: string | undefined;
  /** Requests, and the latest one that was answered: an earlier answer that arrives after it does not count. */
  private asked = 0;
  private answered = 0;
  private readonly ended = new AbortController();

  constructor(deps: OwnHoldsDeps) {
    this.deps = deps;
  }

  start(): void {
    repeat(everySeconds * 1000, () => this.refresh(), this.ended.signal);
  }

  stop(): void {
    this.ended.abort();
  }

  /** Never throws. */
  async refresh(): Promise<void> {
    const urls = this.deps.daemon.urls();
    if (urls.length === 0 || this.ended.signal.aborted) return;
    this.asked += 1;
    const turn = this.asked;
    const answer = await this.askAny(urls).then(
      (held) => ({ held }),
      (error: unknown) => ({ why: errorText(error) }),
    );
    if (turn < this.answered || this.ended.signal.aborted) return;
    if ('why' in answer) {
      if (answer.why !== this.why)
        this.deps.log.info(answer, 'holds could not be read from the power-cycle daemon');
      this.why = answer.why;
      return;
    }
    const isChanged = JSON.stringify(answer.held) !== JSON.stringify(this.held);
    this.held = answer.held;
    this.answered = turn;
    this.why = undefined;
    if (isChanged) this.deps.emit({ type: 'facts' });
  }

  current(): Hold[] {
    return this.held.holds.filter((hold) => this.isActive(hold));
  }

  /** A job that others have announced, for people. */
  job(): string | undefined {
    const job = this.held.noRepair.find((each) => each.kind === 'busy' && this.isActive(each));
    return job && `a job of ${job.by} is running: ${job.reason}`;
  }

  /** Why no device may be repaired although the machine is in service, for people. */
  whyNotRepairing(): string | undefined {
    const other = this.held.noRepair.find((each) => this.isActive(each));
    return this.job() ?? (other && `${other.by} is on it: ${other.reason}`);
  }

  private isActive({ until }: Pick<Hold, 'until'>): boolean {
    return until.getTime() > this.deps.clock.now();
  }

  /** @throws The error of the first URL that responds, or that none does. */
  private async askAny(urls: readonly string[]): Promise<z.output<typeof Answer>> {
    const silent: Unreachable[] = [];
    for (const url of urls) {
      try {
        return await this.ask(url);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        silent.push(error);
      }
    }
    throw new Error(silent.map(({ message }) => message).join('; '));
  }

  private async ask(url: string): Promise<z.output<typeof Answer>> {
    const { localAddress, daemon, request } = this.deps;
    const { signal } = this.ended;
    const own = `${url.replace(/\/+$/, '')}/v1/own-holds`;
    const { status, text } = await request(own, { timeoutMs, localAddress, signal });
    daemon.hasAnswered(url);
    if (status !== 200) throw new Error(`${own} returned status ${status}`);
    return Answer.parse(parseJson(text));
  }
}
