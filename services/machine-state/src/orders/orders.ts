/** Maintenance and quarantine ordered by people, and their notes: which are accepted, when an order ends, and when it is forgotten. */
import { randomUUID } from 'node:crypto';
import type { HistoryEntry, Order } from '@skolo/api';
import type { Change } from '@skolo/base/durable';
import { HttpProblem, type Repetitions } from '@skolo/common';
import { didYouMean } from '@skolo/rack';
import { given } from '../join/machine.ts';
import type { PartDeps } from '../part-deps.ts';
import { type OrderRecord, type Records, written } from '../records.ts';

interface OrdersDeps extends Pick<PartDeps, 'rack' | 'clock' | 'records' | 'emit'> {
  repetitions: Repetitions<string[]>;
  historyDays(): number;
}

interface NewOrder extends Pick<Order, 'kind' | 'reason' | 'until'> {
  machines: readonly string[];
  /** The number of machines, as typed: required for many. */
  count?: number | undefined;
}

/** An order for more than this share of the rack must include the number of machines. */
const largeShare = 0.1;
/** Active orders of one machine. An agent accepts twenty. */
export const mostActive = 10;
const dayMs = 86_400_000;
/** Per hour: a wall clock that is wrong for a while must not empty the journal. */
const mostForgotten = 100;
const forgetEverySeconds = 3600;

export class Orders {
  private readonly deps: OrdersDeps;
  /** Those without an end, by machine; absent: they have changed. */
  private open: Map<string, OrderRecord[]> | undefined;
  private forgotAt = Number.NEGATIVE_INFINITY;

  constructor(deps: OrdersDeps) {
    this.deps = deps;
  }

  /** The journal was read. */
  reload(): void {
    this.open = undefined;
  }

  /** @param key of a repetition, which adds no order @throws HttpProblem 404, 409, 422, 503: nothing is ordered. */
  async place(order: NewOrder, by: string, key?: string): Promise<OrderRecord[]> {
    const { machines, kind, reason, until } = order;
    const content = ['order', machines, kind, reason, until];
    return await this.deps.repetitions.once({ key, by, content }, async (before, remember) => {
      if (before === undefined) return await this.placeNow(order, by, remember);
      return before.flatMap((id) => this.deps.records.orders.get(id) ?? []);
    });
  }

  private async placeNow(
    { machines, kind, reason, until, count }: NewOrder,
    by: string,
    remember: (ids: string[]) => Change[],
  ): Promise<OrderRecord[]> {
    const names = this.known(machines);
    this.checkCount(names.length, count);
    const now = this.deps.clock.now();
    if (until !== undefined && Date.parse(until) <= now) {
      throw new HttpProblem(409, `until: ${until} is in the past; specify a future time`);
    }
    for (const machine of names) {
      if (this.active(machine).length < mostActive) continue;
      throw new HttpProblem(409, `${machine} already has ${mostActive} orders; end some of them`);
    }
    const since = new Date(now).toISOString();
    const orders = names.map((machine): OrderRecord => {
      const order = { id: randomUUID(), machine, kind, by, reason, since };
      return until === undefined ? order : { ...order, until };
    });
    const { records } = this.deps;
    await this.write([
      ...orders.map((order) => records.orders.put(order)),
      ...remember(orders.map(({ id }) => id)),
    ]);
    for (const machine of names) this.deps.emit({ type: 'orders', machine });
    return orders;
  }

  /** @throws HttpProblem 404, 503 */
  async end(id: string, by: string): Promise<OrderRecord> {
    const { records, clock } = this.deps;
    const order = records.orders.get(id);
    if (order === undefined || order.endedAt !== undefined) {
      throw new HttpProblem(
        404,
        `no order ${id} is active; GET /v1/machines lists the active ones`,
      );
    }
    const ended = { ...order, endedAt: new Date(clock.now()).toISOString(), endedBy: by };
    await this.write([records.orders.put(ended)]);
    this.deps.emit({ type: 'orders', machine: order.machine });
    return ended;
  }

  /** @throws HttpProblem 404, 503 */
  async addNote(
    machines: readonly string[],
    text: string,
    by: string,
    key?: string,
  ): Promise<void> {
    const names = this.known(machines);
    const { records, clock, repetitions } = this.deps;
    const at = new Date(clock.now()).toISOString();
    const content = ['note', machines, text];
    await repetitions.once({ key, by, content }, async (before, remember) => {
      if (before !== undefined) return;
      await this.write([
        ...names.map((machine) => records.notes.put({ id: randomUUID(), at, machine, by, text })),
        ...remember([]),
      ]);
    });
  }

  active(machine: string): OrderRecord[] {
    const now = this.deps.clock.now();
    return (this.openByMachine().get(machine) ?? []).filter(
      ({ until }) => until === undefined || Date.parse(until) > now,
    );
  }

  allActive(): OrderRecord[] {
    return [...this.openByMachine().keys()].flatMap((machine) => this.active(machine));
  }

  /** These are on its agent's disk. */
  async markDelivered(orders: readonly OrderRecord[]): Promise<void> {
    const { records, clock } = this.deps;
    const deliveredAt = new Date(clock.now()).toISOString();
    await this.writeLater(orders.map((order) => records.orders.put({ ...order, deliveredAt })));
  }

  /** Ends expired ones, and each hour forgets what is older than the history. */
  async tick(): Promise<void> {
    const { records, clock, emit } = this.deps;
    const now = clock.now();
    const over = [...this.openByMachine().values()]
      .flat()
      .filter(({ until }) => until !== undefined && Date.parse(until) <= now);
    if (over.length > 0) {
      await this.writeLater(
        over.map((order) =>
          records.orders.put({ ...order, endedAt: order.until, endedBy: 'its expiry' }),
        ),
      );
      for (const { machine } of over) emit({ type: 'orders', machine });
    }
    if (clock.uptime() - this.forgotAt < forgetEverySeconds) return;
    this.forgotAt = clock.uptime();
    await this.forgetOld(now);
  }

  /** Those that overlap the span. */
  history(machine: string, { from, to }: { from: number; to: number }): HistoryEntry[] {
    const { orders, notes } = this.deps.records;
    const begins = (time: string) => Date.parse(time) < to;
    const endsAfter = (time: string | undefined) => time === undefined || Date.parse(time) >= from;
    return [
      ...[...orders.all.values()]
        .filter((each) => each.machine === machine && begins(each.since) && endsAfter(each.endedAt))
        .map(({ id, kind, by, reason, since, endedAt, endedBy }) => ({
          at: since,
          machine,
          kind: 'order' as const,
          id,
          order: kind,
          reason,
          ...given({ by, endedAt, endedBy }),
        })),
      ...[...notes.all.values()]
        .filter((each) => each.machine === machine && begins(each.at) && endsAfter(each.at))
        .map(({ at, by, text }) => ({ at, machine, kind: 'note' as const, by, text })),
    ];
  }

  /** Without duplicates. @throws HttpProblem 404 */
  private known(names: readonly string[]): string[] {
    const { machines } = this.deps.rack();
    const unknown = names.filter((name) => !machines.has(name));
    const [first] = unknown;
    if (first === undefined) return [...new Set(names)];
    const hint = unknown.length === 1 ? didYouMean(first, machines.keys()) : '';
    throw new HttpProblem(
      404,
      `rack.yaml has no ${unknown.length === 1 ? 'machine' : 'machines'} ${unknown.join(', ')}${hint}`,
    );
  }

  /** @throws HttpProblem 409 */
  private checkCount(number: number, count: number | undefined): void {
    const size = this.deps.rack().machines.size;
    if (number <= 1 || number <= size * largeShare || count === number) return;
    const found = count === undefined ? '`count` is not set' : `\`count\` is ${count}`;
    throw new HttpProblem(
      409,
      `${number} of ${size} machines are more than a tenth of the rack, and ${found}; set \`count\` to ${number} to confirm`,
    );
  }

  private async forgetOld(now: number): Promise<void> {
    const { records, historyDays } = this.deps;
    const isOld = (time: string | undefined) =>
      time !== undefined && Date.parse(time) < now - historyDays() * dayMs;
    const old = [
      ...[...records.orders.all.values()]
        .filter(({ endedAt }) => isOld(endedAt))
        .map(({ id }) => records.orders.remove(id)),
      ...[...records.notes.all.values()]
        .filter(({ at }) => isOld(at))
        .map(({ id }) => records.notes.remove(id)),
    ];
    if (old.length > 0) await this.writeLater(old.slice(0, mostForgotten));
  }

  openByMachine(): Map<string, OrderRecord[]> {
    const { orders } = this.deps.records;
    this.open ??= Map.groupBy(
      [...orders.all.values()].filter(({ endedAt }) => endedAt === undefined),
      ({ machine }) => machine,
    );
    return this.open;
  }

  /** In memory on return, and on the disk when fulfilled. */
  async writeLater(changes: Parameters<Records['tables']['writeLater']>[0]): Promise<void> {
    const written = this.deps.records.tables.writeLater(changes);
    this.open = undefined;
    await written;
  }

  /** @throws HttpProblem 503 */
  private async write(changes: Parameters<Records['tables']['write']>[0]): Promise<void> {
    try {
      await written(this.deps.records.tables, changes);
    } finally {
      this.open = undefined;
    }
  }
}
