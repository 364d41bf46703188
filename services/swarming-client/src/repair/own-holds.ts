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

const Answer = z.object({
  holds: z.array(
    z.object({
      target: z.string(),
      by: z.string(),
      until: z.iso.datetime({ offset: true }),
      reason: z.string(),
    }),
  ),
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
  private held: Hold[] = [];
  private why: string | undefined;
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
    const before = JSON.stringify(this.held);
    try {
      this.held = await this.askAny(urls);
      this.why = undefined;
    } catch (error) {
      const why = errorText(error);
      if (why !== this.why && !this.ended.signal.aborted) {
        this.deps.log.info({ why }, 'holds could not be read from the power-cycle daemon');
      }
      this.why = why;
    }
    if (JSON.stringify(this.held) !== before) this.deps.emit({ type: 'facts' });
  }

  current(): Hold[] {
    const now = new Date(this.deps.clock.now());
    return this.held.filter(({ until }) => until > now);
  }

  /** @throws The error of the first URL that responds, or that none does. */
  private async askAny(urls: readonly string[]): Promise<Hold[]> {
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

  private async ask(url: string): Promise<Hold[]> {
    const { localAddress, daemon, request } = this.deps;
    const { signal } = this.ended;
    const own = `${url.replace(/\/+$/, '')}/v1/own-holds`;
    const { status, text } = await request(own, { timeoutMs, localAddress, signal });
    daemon.hasAnswered(url);
    if (status !== 200) throw new Error(`${own} returned status ${status}`);
    const { holds } = Answer.parse(parseJson(text));
    return holds.map(({ until, ...hold }) => ({ ...hold, until: new Date(until) }));
  }
}
