/** Brings the orders of a machine to its agent, again and again until it has them: also after a restart, and after a new disk. */
import type { AgentStatus, Client, Order, swarmingClientApi } from '@skolo/api';
import { backOffMs, type Clock } from '@skolo/common';
import { errorText } from '@skolo/errors';
import type { AgentView } from '../join/sources.ts';
import type { OrderRecord } from './records.ts';

export interface DeliveryDeps {
  clock: Pick<Clock, 'uptime'>;
  /** The journal was read. An agent must not lose its orders because it cannot be. */
  isReady(): boolean;
  inForce(machine: string): readonly OrderRecord[];
  view(machine: string): AgentView;
  connect(machine: string): Promise<Pick<Client<typeof swarmingClientApi>, 'setOrders'>>;
  isKnown(order: string): boolean;
  adopt(machine: string, orders: readonly Order[]): Promise<void>;
  onDelivered(machine: string): Promise<void>;
  /** Why it is not delivered has changed. */
  onChange(machine: string): void;
  retry: { firstMs: number; maxMs: number };
}

interface Attempt {
  failures: number;
  why: string | undefined;
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

  why(machine: string): string | undefined {
    return this.attempts.get(machine)?.why ?? this.deps.view(machine).why;
  }

  /** Sends them, if the agent has others. */
  consider(machine: string): void {
    const { clock, view, isReady, isKnown } = this.deps;
    const { status, why } = view(machine);
    if (!isReady() || status === undefined || why !== undefined) return;
    const wanted = this.deps.inForce(machine);
    const attempt = this.attempts.get(machine);
    if (attempt?.isUnderWay || (attempt && clock.uptime() < attempt.notBefore)) return;
    if (hasExactly(status, wanted)) {
      this.attempts.delete(machine);
      if (wanted.some(({ deliveredAt }) => deliveredAt === undefined)) {
        this.track(this.deps.onDelivered(machine));
      }
      return;
    }
    // The journal was lost. Only the safe kind: a hostile machine must not silence its alerts.
    const lost = status.orders?.filter(({ id, kind }) => kind === 'quarantine' && !isKnown(id));
    if (lost?.length) {
      this.track(this.deps.adopt(machine, lost));
      return;
    }
    const next = attempt ?? { failures: 0, why: undefined, notBefore: 0, isUnderWay: false };
    next.isUnderWay = true;
    this.attempts.set(machine, next);
    this.track(this.send(machine, wanted, next));
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
    wanted: readonly OrderRecord[],
    attempt: Attempt,
  ): Promise<void> {
    const { clock, connect, onDelivered, onChange, retry } = this.deps;
    const before = attempt.why;
    try {
      const agent = await connect(machine);
      await agent.setOrders({ body: { orders: wanted.map(sentOrder) } });
      attempt.failures = 0;
      attempt.why = undefined;
      // Until its status shows them, it is not asked again.
      attempt.notBefore = clock.uptime() + retry.maxMs / 1000;
      await onDelivered(machine);
    } catch (error) {
      attempt.failures += 1;
      attempt.why = errorText(error);
      attempt.notBefore = clock.uptime() + backOffMs(attempt.failures, retry) / 1000;
    } finally {
      attempt.isUnderWay = false;
    }
    if (before !== attempt.why) onChange(machine);
    // Orders of meanwhile.
    const ids = (orders: readonly OrderRecord[]) => orders.map(({ id }) => id).join();
    if (attempt.why === undefined && ids(this.deps.inForce(machine)) !== ids(wanted))
      this.hurry(machine);
  }

  private track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.working.delete(tracked));
    this.working.add(tracked);
  }
}

function sentOrder({ id, kind, by, reason, since, until }: OrderRecord) {
  return { id, kind, by, reason, since, ...(until !== undefined && { until }) };
}

/** An agent of an older version has none, which is right as long as it should have none. */
function hasExactly({ orders = [] }: AgentStatus, wanted: readonly OrderRecord[]): boolean {
  const has = new Set(orders.map(({ id }) => id));
  return has.size === wanted.length && wanted.every(({ id }) => has.has(id));
}
