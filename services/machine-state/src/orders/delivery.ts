/** Brings the orders of a machine to its agent, again and again until it has them: also after a restart, and after a new disk. */
import type { AgentStatus, Order } from '@skolo/api';
import { errorText } from '@skolo/base';
import { backOffMs, type Clock } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { agentClient } from '../collect/agent-client.ts';
import { mostBytes } from '../collect/agent-watch.ts';
import { cut } from '../history/entry.ts';
import type { AgentView } from '../join/sources.ts';
import type { Orders } from './orders.ts';
import type { OrderRecord } from './records.ts';

export interface DeliveryDeps {
  rack(): Rack;
  clock: Pick<Clock, 'uptime'>;
  /** An agent must not lose its orders because the journal cannot be read. */
  journal: { readonly isOpen: boolean };
  agents: { view(machine: string): AgentView };
  orders: Orders;
  retry: { firstMs: number; maxMs: number };
}

interface Attempt {
  failures: number;
  /** By the uptime, in seconds. */
  notBefore: number;
  isUnderWay: boolean;
}

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly attempts = new Map<string, Attempt>();
  private readonly working = new Set<Promise<void>>();

  constructor(deps: DeliveryDeps) {
    this.deps = deps;
  }

  /** Sends them, if the agent has others. */
  consider(machine: string): void {
    const { clock, agents, orders, journal } = this.deps;
    const view = agents.view(machine);
    const { status, why } = view;
    if (!journal.isOpen || status === undefined || why !== undefined) return;
    this.track(orders.hear(machine, view));
    const wanted = orders.recordsInForce(machine);
    const sent = [...wanted.map(sentOrder), ...orders.lost(machine, view)];
    const attempt = this.attempts.get(machine);
    if (attempt?.isUnderWay || (attempt && clock.uptime() < attempt.notBefore)) return;
    if (hasExactly(status, sent)) {
      this.attempts.delete(machine);
      orders.attempted(machine, undefined);
      if (wanted.some(({ deliveredAt }) => deliveredAt === undefined)) {
        this.track(orders.delivered(machine));
      }
      return;
    }
    const next = attempt ?? { failures: 0, notBefore: 0, isUnderWay: false };
    next.isUnderWay = true;
    this.attempts.set(machine, next);
    this.track(this.send(machine, { wanted, sent }, next));
  }

  /** Those that wait for another attempt. */
  tick(): void {
    for (const machine of this.attempts.keys()) this.consider(machine);
  }

  /** It is wanted at once, whatever failed before. */
  hurry(machine: string): void {
    const attempt = this.attempts.get(machine);
    if (attempt) attempt.notBefore = 0;
    this.consider(machine);
  }

  async stop(): Promise<void> {
    await Promise.all(this.working);
  }

  private async send(
    machine: string,
    { wanted, sent }: { wanted: readonly OrderRecord[]; sent: Order[] },
    attempt: Attempt,
  ): Promise<void> {
    const { rack, clock, orders, retry } = this.deps;
    let why: string | undefined;
    try {
      const agent = await agentClient(rack(), machine);
      await agent.setOrders({ body: { orders: sent }, mostBytes });
      attempt.failures = 0;
      // Until its status shows them, it is not asked again.
      attempt.notBefore = clock.uptime() + retry.maxMs / 1000;
      await orders.delivered(machine);
    } catch (error) {
      attempt.failures += 1;
      why = cut(errorText(error));
      attempt.notBefore = clock.uptime() + backOffMs(attempt.failures, retry) / 1000;
    } finally {
      attempt.isUnderWay = false;
    }
    orders.attempted(machine, why);
    // Orders of meanwhile.
    const ids = (records: readonly OrderRecord[]) => records.map(({ id }) => id).join();
    if (why === undefined && ids(orders.recordsInForce(machine)) !== ids(wanted)) {
      this.hurry(machine);
    }
  }

  private track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.working.delete(tracked));
    this.working.add(tracked);
  }
}

function sentOrder(order: OrderRecord): Order {
  const { id, kind, by = 'the machine itself', reason, since, until } = order;
  return { id, kind, by, reason, since, ...(until !== undefined && { until }) };
}

/** An agent of an older version has none, which is right as long as it should have none. */
function hasExactly({ orders = [] }: AgentStatus, wanted: readonly Order[]): boolean {
  const has = new Set(orders.map(({ id }) => id));
  return has.size === wanted.length && wanted.every(({ id }) => has.has(id));
}
