/**
 * People's orders for this machine, such as maintenance and quarantine, and which the agent accepts from machine-state, which owns them.
 * This is the durable copy: it stays in effect across restarts, and while machine-state is down. `skolo machine clear` does not end an
 * order.
 *
 * An expired order stays in the file until machine-state replaces the set, because a Pi's wall clock may be wrong at boot. Once the
 * jumphost's clock is known, it decides.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Order } from '@skolo/api/swarming-client';
import { errorText, inOrder, oneLine, parseJson } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { Clock, EventLog } from '@skolo/common/light';
import { z } from 'zod';
import type { ClockOffset } from '../identity/metadata-client.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Ordered } from './health.ts';

interface OrdersDeps extends Pick<PartDeps, 'stateDir' | 'emit'> {
  clock: Pick<Clock, 'now'>;
  clockOffset: Pick<ClockOffset, 'get'>;
  log: Pick<EventLog, 'info' | 'warn'>;
}

const Kept = z.array(Order);

export class Orders {
  private readonly deps: OrdersDeps;
  private readonly keptAt: string;
  private orders: readonly Order[] = [];
  private readonly inTurn = inOrder();

  constructor(deps: OrdersDeps) {
    this.deps = deps;
    this.keptAt = join(deps.stateDir, 'orders.json');
  }

  /** Reads the copy. Never throws: an unreadable file does not end an order, and counts as quarantine. */
  async open(): Promise<void> {
    try {
      const text = await readFileIfExists(this.keptAt);
      this.orders = text === undefined ? [] : Kept.parse(parseJson(text));
    } catch (error) {
      this.deps.log.warn({ why: errorText(error), file: this.keptAt }, 'orders cannot be read');
      const reason = `${this.keptAt} cannot be read; machine-state will replace the file, or you can delete it and restart the agent`;
      const since = new Date(this.deps.clock.now()).toISOString();
      this.orders = [{ id: 'unreadable', kind: 'quarantine', by: 'the agent', reason, since }];
    }
  }

  /** Replaces all orders. Fulfilled when they are durable and in effect. @throws FileNotWritten The previous stay in effect. */
  set(orders: readonly Order[]): Promise<void> {
    return this.inTurn(async () => {
      // It may be sent repeatedly, and this is an SD card.
      if (isDeepStrictEqual(orders, this.orders)) return;
      await writeFileAtomic(this.keptAt, JSON.stringify(orders));
      this.orders = orders;
      this.deps.log.info({ orders }, "operators' orders changed");
      this.deps.emit({ type: 'facts' });
    });
  }

  /** As given: those that have not expired. */
  active(): Order[] {
    const { clock, clockOffset } = this.deps;
    const now = clock.now() - (clockOffset.get() ?? 0) * 1000;
    return this.orders.filter(({ until }) => until === undefined || Date.parse(until) > now);
  }

  /** For the health assessment. */
  current(): Ordered[] {
    return this.active().map(({ kind, by, reason, since, until }) => ({
      kind,
      by: oneLine(by),
      reason: oneLine(reason),
      since: new Date(since),
      until: until === undefined ? undefined : new Date(until),
    }));
  }
}
