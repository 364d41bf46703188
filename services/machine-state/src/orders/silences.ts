/**
 * Silences a machine's alerts in Alertmanager during maintenance. Stateless: a silence's comment names its order, so each round compares
 * existing and required silences, and a crash in between does no harm. Racks may share an Alertmanager, and have machines of the same name:
 * silences name their rack, and apply only to its alerts.
 */
import { isDeepStrictEqual } from 'node:util';

import { errorText, type Repetition, repeat } from '@skolo/base';
import { type Clock, type DegradedList, rackMatcher } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { OrderRecord } from '../records.ts';
import { type Alertmanager, alertmanagerClient, type Silence } from './alertmanager.ts';

interface SilencesDeps {
  rack(): Pick<Rack, 'name'>;
  /** Undefined: there is no Alertmanager. */
  url(): string | undefined;
  clock: Clock;
  active(): readonly OrderRecord[];
  /** Whether the order, active or not, is one of this rack. */
  isKnown(order: string): boolean;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  everyMs: number;
}

/** Earlier versions wrote no more than this. */
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
      const found = (await client.silences({ signal })).filter((each) => this.isOurs(each));
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
    const machine = { name: 'machine', value: order.machine, isRegex: false, isEqual: true };
    const matchers = [machine, rackMatcher(this.deps.rack())];
    // Alertmanager replaces a silence that gets other matchers.
    if (silence !== undefined && isSame(silence.matchers, matchers)) {
      const left = Date.parse(silence.endsAt) - now;
      if (order.until === undefined ? left > aheadMs / 2 : Math.abs(end - now - left) < 1000)
        return;
    }
    await client.setSilence({
      body: {
        ...(silence && { id: silence.id }),
        matchers,
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(end).toISOString(),
        createdBy: this.author,
        comment: `order ${order.id}: maintenance of ${order.machine} by ${order.by}: ${order.reason}`,
      },
      signal,
    });
  }

  private get author(): string {
    return `${author} of ${this.deps.rack().name}`;
  }

  /** Whether it names an order of this rack. Names of racks prove nothing: a rack may get another one, and then another rack this one. */
  private isOurs({ createdBy, comment, status }: Silence): boolean {
    if (status.state === 'expired' || !createdBy.startsWith(author)) return false;
    const [, order] = /^order (\S+):/.exec(comment) ?? [];
    return order !== undefined && this.deps.isKnown(order);
  }

  private wanted(): OrderRecord[] {
    return this.deps.active().filter(({ kind }) => kind === 'maintenance');
  }
}

function isOf({ comment }: Silence, { id }: OrderRecord): boolean {
  return comment.startsWith(`order ${id}:`);
}

/** In any order. */
function isSame(one: Silence['matchers'], other: Silence['matchers']): boolean {
  const sorted = (matchers: Silence['matchers']) =>
    matchers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return isDeepStrictEqual(sorted(one), sorted(other));
}
