/** Delivers a machine's orders to its agent, and retries until the agent has confirmed them, even after a restart or a new disk. */
import type { AgentStatus, MachineOrder, Order } from '@skolo/api';
import { backOffMs, errorText } from '@skolo/base';
import type { Clock } from '@skolo/common';
import { agentClient } from '../collect/agent-client.ts';
import { cut, given } from '../join/machine.ts';
import type { AgentView } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import type { OrderRecord } from '../records.ts';
import type { Orders } from './orders.ts';
import type { ReportedOrders } from './reported.ts';

interface DeliveryDeps extends Pick<PartDeps, 'rack' | 'emit'> {
  clock: Pick<Clock, 'uptime'>;
  /** An agent must not lose its orders because the journal is unreadable. */
  journal: { readonly isOpen: boolean };
  agents: { view(machine: string): AgentView };
  orders: Pick<Orders, 'active' | 'markDelivered'>;
  reported: Pick<ReportedOrders, 'hear' | 'lost'>;
  retry: { firstMs: number; maxMs: number };
}

interface Attempt {
  failures: number;
  /** By the uptime, in seconds. */
  notBefore: number;
  isUnderWay: boolean;
  /** Why the last one failed. */
  why?: string | undefined;
}

export class Delivery {
  private readonly deps: DeliveryDeps;
  private readonly attempts = new Map<string, Attempt>();
  private readonly working = new Set<Promise<unknown>>();

  constructor(deps: DeliveryDeps) {
    this.deps = deps;
  }

  /** A machine's active orders, and why its agent does not have them. */
  active(machine: string): MachineOrder[] {
    return this.deps.orders.active(machine).map((order) => this.shown(order));
  }

  shown({ endedBy: _, endedAt, ...order }: OrderRecord): MachineOrder {
    const { machine, deliveredAt } = order;
    if (deliveredAt !== undefined || endedAt !== undefined) return order;
    const why = this.attempts.get(machine)?.why ?? this.deps.agents.view(machine).why;
    return { ...order, ...given({ why }) };
  }

  /** Sends them, if the agent has different ones. */
  consider(machine: string): void {
    const { clock, agents, orders, reported, journal } = this.deps;
    const view = agents.view(machine);
    const { status, why } = view;
    if (!journal.isOpen || status === undefined || why !== undefined) return;
    this.track(reported.hear(machine, view));
    const wanted = orders.active(machine);
    const sent = [...wanted.map(sentOrder), ...reported.lost(machine, view)];
    const attempt = this.attempts.get(machine);
    if (attempt?.isUnderWay || (attempt && clock.uptime() < attempt.notBefore)) return;
    if (hasExactly(status, sent)) {
      this.attempts.delete(machine);
      this.track(this.delivered(machine));
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

  /** It is due immediately, despite earlier failures. */
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
    const { rack, clock, orders, retry, emit } = this.deps;
    try {
      const agent = await agentClient(rack(), machine);
      await agent.setOrders({ body: { orders: sent } });
      attempt.failures = 0;
      attempt.why = undefined;
      const isFirst = await this.delivered(machine);
      // An agent that keeps accepting them without reporting them is contacted less often.
      attempt.notBefore = isFirst ? 0 : clock.uptime() + retry.maxMs / 1000;
    } catch (error) {
      attempt.failures += 1;
      attempt.why = cut(errorText(error));
      attempt.notBefore = clock.uptime() + backOffMs(attempt.failures, retry) / 1000;
    } finally {
      attempt.isUnderWay = false;
    }
    emit({ type: 'delivery', machine });
    // Orders given meanwhile.
    const ids = (records: readonly OrderRecord[]) => records.map(({ id }) => id).join();
    const isOther = ids(orders.active(machine)) !== ids(wanted);
    if (attempt.why === undefined && isOther) this.hurry(machine);
  }

  /** The agent has its orders on its disk. @returns whether it had not before */
  private async delivered(machine: string): Promise<boolean> {
    const { orders, emit } = this.deps;
    const late = orders.active(machine).filter(({ deliveredAt }) => deliveredAt === undefined);
    if (late.length === 0) return false;
    await orders.markDelivered(late);
    emit({ type: 'delivery', machine });
    return true;
  }

  private track(work: Promise<unknown>): void {
    const tracked = work.catch(() => undefined).finally(() => this.working.delete(tracked));
    this.working.add(tracked);
  }
}

function sentOrder(order: OrderRecord): Order {
  const { id, kind, by = 'the machine itself', reason, since, until } = order;
  return { id, kind, by, reason, since, ...(until !== undefined && { until }) };
}

function hasExactly({ orders = [] }: AgentStatus, wanted: readonly Order[]): boolean {
  const has = new Set(orders.map(({ id }) => id));
  return has.size === wanted.length && wanted.every(({ id }) => has.has(id));
}
