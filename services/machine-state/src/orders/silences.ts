/**
 * Silences a machine's alerts in Alertmanager during maintenance. Stateless: a silence's comment names its order, so each round compares
 * existing and required silences, and a crash in between does no harm.
 */

import { errorText, type Repetition, repeat } from '@skolo/base';
import type { Clock, DegradedList } from '@skolo/common';
import type { OrderRecord } from '../records.ts';
import { type Alertmanager, alertmanagerClient, type Silence } from './alertmanager.ts';

interface SilencesDeps {
  /** Undefined: there is no Alertmanager. */
  url(): string | undefined;
  clock: Clock;
  active(): readonly OrderRecord[];
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  everyMs: number;
}

const author = 'skolo machine-state';
/** A silence for a maintenance without an end is renewed long before this is over. */
const aheadMs = 24 * 3_600_000;
const what = 'alertmanager';

export class Silences {
  private readonly deps: SilencesDeps;
  private readonly stopping = new AbortController();
  private repetition: Repetition | undefined;

  constructor(deps: SilencesDeps) {
    this.deps = deps;
  }

  start(): void {
    const { signal } = this.stopping;
    this.repetition = repeat(this.deps.everyMs, () => this.run(signal), signal);
  }

  /** Compares immediately, or again. */
  hurry(): void {
    this.repetition?.hurry();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service is stopping'));
    await this.repetition?.ended;
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { degraded } = this.deps;
    const url = this.deps.url();
    if (url === undefined) return degraded.clear(what);
    const wanted = this.wanted();
    try {
      const client = alertmanagerClient(url);
      const found = (await client.silences({ signal })).filter(isOurs);
      for (const silence of found) {
        if (wanted.some((order) => isOf(silence, order))) continue;
        await client.endSilence({ params: { id: silence.id }, signal });
      }
      for (const order of wanted) {
        const silence = found.find((each) => isOf(each, order));
        await this.set(client, order, silence, signal);
      }
      degraded.clear(what);
    } catch (error) {
      if (signal.aborted) return;
      // Without a maintenance it is not needed.
      if (wanted.length === 0) degraded.clear(what);
      else
        degraded.raise(
          what,
          `alerts of machines in maintenance are not silenced: ${errorText(error)}`,
        );
    }
  }

  private async set(
    client: Alertmanager,
    order: OrderRecord,
    silence: Silence | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.deps.clock.now();
    const end = order.until === undefined ? now + aheadMs : Date.parse(order.until);
    if (silence !== undefined) {
      const left = Date.parse(silence.endsAt) - now;
      if (order.until === undefined ? left > aheadMs / 2 : Math.abs(end - now - left) < 1000)
        return;
    }
    await client.setSilence({
      body: {
        ...(silence && { id: silence.id }),
        matchers: [{ name: 'machine', value: order.machine, isRegex: false, isEqual: true }],
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(end).toISOString(),
        createdBy: author,
        comment: `order ${order.id}: maintenance of ${order.machine} by ${order.by}: ${order.reason}`,
      },
      signal,
    });
  }

  private wanted(): OrderRecord[] {
    return this.deps.active().filter(({ kind }) => kind === 'maintenance');
  }
}

function isOurs({ createdBy, status }: Silence): boolean {
  return createdBy === author && status.state !== 'expired';
}

function isOf({ comment }: Silence, { id }: OrderRecord): boolean {
  return comment.startsWith(`order ${id}:`);
}
