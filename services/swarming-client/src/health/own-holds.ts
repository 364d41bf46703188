/**
 * What is under repair by people, as the power-cycle daemon knows: `GET /v1/own-holds`, which answers a machine by the
 * address that it asks from. A daemon that is silent holds nothing; what it told last counts until it would have ended.
 */
import { type Clock, errorText, type Logger } from '@skolo/common/light';
import { z } from 'zod';
import { request, Unreachable } from '../http/request.ts';
import type { PowerCycleDaemon } from '../power-cycle-daemon.ts';
import type { Hold } from './health.ts';

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

export interface OwnHoldsDeps {
  daemon: Pick<PowerCycleDaemon, 'urls' | 'hasAnswered'>;
  localAddress?: string;
  clock: Pick<Clock, 'now'>;
  log: Pick<Logger, 'info'>;
  /** Pause between two looks. */
  everySeconds?: number;
  /** Something else is held than before. */
  onChange?: () => void;
}

const usualSeconds = 30;
const timeoutMs = 5000;

export class OwnHolds {
  private readonly deps: OwnHoldsDeps;
  private held: Hold[] = [];
  private why: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly ended = new AbortController();

  constructor(deps: OwnHoldsDeps) {
    this.deps = deps;
  }

  start(): void {
    const next = () => {
      if (this.ended.signal.aborted) return;
      this.timer = setTimeout(go, (this.deps.everySeconds ?? usualSeconds) * 1000);
    };
    const go = () => void this.lookNow().then(next);
    go();
  }

  stop(): void {
    this.ended.abort();
    clearTimeout(this.timer);
  }

  /** Never throws. */
  async lookNow(): Promise<void> {
    const urls = this.deps.daemon.urls();
    if (urls.length === 0 || this.ended.signal.aborted) return;
    const before = JSON.stringify(this.held);
    try {
      this.held = await this.askAny(urls);
      this.why = undefined;
    } catch (error) {
      const why = errorText(error);
      if (why !== this.why && !this.ended.signal.aborted) {
        this.deps.log.info({ why }, 'the power-cycle daemon does not tell what is held');
      }
      this.why = why;
    }
    if (JSON.stringify(this.held) !== before) this.deps.onChange?.();
  }

  current(): Hold[] {
    const now = new Date(this.deps.clock.now());
    return this.held.filter(({ until }) => until > now);
  }

  /** @throws What the first one said that answers, or that none does. */
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
    const { localAddress, daemon } = this.deps;
    const { signal } = this.ended;
    const own = `${url.replace(/\/+$/, '')}/v1/own-holds`;
    const { status, text } = await request(own, { timeoutMs, localAddress, signal });
    daemon.hasAnswered(url);
    if (status !== 200) throw new Error(`${own} answers ${status}`);
    const { holds } = Answer.parse(JSON.parse(text));
    return holds.map(({ until, ...hold }) => ({ ...hold, until: new Date(until) }));
  }
}
