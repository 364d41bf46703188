/** Maintenance and quarantine that people order, and their notes. */
import { randomUUID } from 'node:crypto';
import type { HistoryEntry, MachineOrder, Order } from '@skolo/api';
import { type Clock, HttpProblem, type Repetitions, type ServiceContext } from '@skolo/common';
import type { Change } from '@skolo/durable';
import { didYouMean, type Rack } from '@skolo/rack';
import type { EmitMachineState } from '../events.ts';
import { given } from '../join/machine.ts';
import type { AgentView } from '../join/sources.ts';
import { type OrderRecord, type Records, written } from './records.ts';

interface OrdersDeps extends Pick<ServiceContext, 'audit' | 'log'> {
  rack(): Rack;
  clock: Clock;
  records: Records;
  repetitions: Repetitions<string[]>;
  historyDays(): number;
  agents: { view(machine: string): AgentView };
  emit: EmitMachineState;
}

interface NewOrder extends Pick<Order, 'kind' | 'reason' | 'until'> {
  machines: readonly string[];
  /** The number of machines, typed: required for many. */
  count?: number | undefined;
}

/** Above this share of the rack the number has to be given. */
const largeShare = 0.1;
/** An agent takes twenty. */
const mostInForce = 10;
/** Machines whose quarantine only they report. More are more likely an attack than a loss, and a person decides. */
const mostReporting = 10;
const dayMs = 86_400_000;
/** In an hour: a wall clock that is wrong for a while must not empty the journal. */
const mostForgotten = 100;
const forgetEverySeconds = 3600;

export class Orders {
  private readonly deps: OrdersDeps;
  /** Those without an end, by machine; absent: they have changed. */
  private open: Map<string, OrderRecord[]> | undefined;
  /** Why the last attempt to deliver failed, by machine. */
  private readonly failures = new Map<string, string>();
  /** Machines that report a quarantine which there is no room for. */
  private readonly waiting = new Set<string>();
  private isLoaded = false;
  private forgotAt = Number.NEGATIVE_INFINITY;

  constructor(deps: OrdersDeps) {
    this.deps = deps;
  }

  /** The journal was read. @param isIncomplete orders may be missing from it that machines have */
  reload(isIncomplete: boolean): void {
    const { records, rack } = this.deps;
    this.open = undefined;
    this.isLoaded = true;
    if (!isIncomplete) return;
    const times = [
      ...[...records.orders.all.values()].map(({ since, endedAt = since }) => endedAt),
      ...[...records.notes.all.values()].map(({ at }) => at),
    ];
    const newest = given({ newest: times.sort().at(-1) });
    const machines = [...rack().machines.keys()];
    void this.keep(machines.map((machine) => records.unheard.put({ machine, ...newest })));
  }

  /** @param key of a repetition, which orders nothing more @throws HttpProblem 404, 409, 422, 503: nothing is ordered. */
  async place(order: NewOrder, by: string, key?: string): Promise<MachineOrder[]> {
    const { machines, kind, reason, until } = order;
    const content = ['order', machines, kind, reason, until];
    return await this.deps.repetitions.once({ key, by, content }, async (before, remember) => {
      if (before === undefined) return await this.placeNow(order, by, remember);
      return before.flatMap((id) => {
        const known = this.deps.records.orders.get(id);
        return known === undefined ? [] : [this.shown(known)];
      });
    });
  }

  private async placeNow(
    { machines, kind, reason, until, count }: NewOrder,
    by: string,
    remember: (ids: string[]) => Change[],
  ): Promise<MachineOrder[]> {
    const names = this.known(machines);
    this.checkCount(names.length, count);
    const now = this.deps.clock.now();
    if (until !== undefined && Date.parse(until) <= now) {
      throw new HttpProblem(409, `until: ${until} is over; give a time in the future`);
    }
    for (const machine of names) {
      if (this.inForce(machine).length < mostInForce) continue;
      throw new HttpProblem(409, `${machine}: has ${mostInForce} orders already; end some of them`);
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
    return orders.map((order) => this.shown(order));
  }

  /** @throws HttpProblem 404, 503 */
  async end(id: string, by: string): Promise<MachineOrder> {
    const { records, clock } = this.deps;
    const order = records.orders.get(id);
    if (order === undefined || order.endedAt !== undefined) {
      throw new HttpProblem(404, `no order ${id} is in force; GET /v1/machines has those that are`);
    }
    const ended = { ...order, endedAt: new Date(clock.now()).toISOString(), endedBy: by };
    await this.write([records.orders.put(ended)]);
    this.deps.emit({ type: 'orders', machine: order.machine });
    return this.shown(ended);
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

  inForce(machine: string): MachineOrder[] {
    return this.recordsInForce(machine).map((order) => this.shown(order));
  }

  recordsInForce(machine: string): OrderRecord[] {
    const now = this.deps.clock.now();
    return (this.openByMachine().get(machine) ?? []).filter(
      ({ until }) => until === undefined || Date.parse(until) > now,
    );
  }

  allInForce(): OrderRecord[] {
    return [...this.openByMachine().keys()].flatMap((machine) => this.recordsInForce(machine));
  }

  /** The agent has them on its disk. */
  async delivered(machine: string): Promise<void> {
    const { records, clock, emit } = this.deps;
    const deliveredAt = new Date(clock.now()).toISOString();
    const late = this.recordsInForce(machine).filter((order) => order.deliveredAt === undefined);
    if (late.length === 0) return;
    await this.keep(late.map((order) => records.orders.put({ ...order, deliveredAt })));
    emit({ type: 'orders', machine });
  }

  /** @param why the attempt to deliver failed; undefined: it did not */
  attempted(machine: string, why: string | undefined): void {
    if (this.failures.get(machine) === why) return;
    if (why === undefined) this.failures.delete(machine);
    else this.failures.set(machine, why);
    this.deps.emit({ type: 'delivery', machine });
  }

  /** Of the orders that its agent reports, those that the journal does not contain. They have no effect. */
  unknown(machine: string, { status }: Pick<AgentView, 'status'>): Order[] {
    if (!this.isLoaded) return [];
    const { orders } = this.deps.records;
    return (status?.orders ?? []).filter(({ id }) => orders.get(id)?.machine !== machine);
  }

  /** Of those, the ones that the journal may have lost. Its agent keeps them until they are heard. */
  lost(machine: string, view: Pick<AgentView, 'status'>): Order[] {
    if (this.deps.records.unheard.get(machine) === undefined) return [];
    // A hostile machine must not silence its alerts by a maintenance.
    const quarantines = this.unknown(machine, view).filter(({ kind }) => kind === 'quarantine');
    return quarantines.slice(0, mostInForce);
  }

  /** Number of machines that report a quarantine which there is no room for. */
  get notHeard(): number {
    const { machines } = this.deps.rack();
    return [...this.waiting].filter((machine) => machines.has(machine)).length;
  }

  /**
   * The first answer of a machine since the journal was lost or restored: its quarantine becomes an order without an author, as
   * long as there is room. It has effect in memory when this returns.
   */
  async hear(machine: string, view: Pick<AgentView, 'status'>): Promise<void> {
    const { records, clock, emit, audit, log } = this.deps;
    const unheard = records.unheard.get(machine);
    if (unheard === undefined) return;
    const lost = this.lost(machine, view);
    const reporting = [...this.openByMachine().values()].filter((orders) =>
      orders.some(({ by }) => by === undefined),
    );
    if (lost.length > 0 && reporting.length >= mostReporting) {
      this.waiting.add(machine);
      return;
    }
    this.waiting.delete(machine);
    const since = new Date(clock.now()).toISOString();
    const orders = lost.map(
      (order): OrderRecord => ({
        id: randomUUID(),
        machine,
        kind: 'quarantine',
        since,
        reason: reportedReason(order, unheard.newest),
      }),
    );
    const changes = orders.map((order) => records.orders.put(order));
    const kept = this.keep([...changes, records.unheard.remove(machine)]);
    if (orders.length > 0) emit({ type: 'orders', machine });
    await kept;
    for (const { id, reason: why } of orders) {
      const outcome = 'done';
      const entry = { who: machine, what: 'reportedOrder', target: machine, why, outcome };
      await audit.append({ ...entry, answer: { id } }).catch((error: unknown) => {
        log.error({ err: error, entry }, 'not in the audit log');
      });
    }
  }

  /** Ends those whose time is over, and each hour forgets what is older than the history. */
  async tick(): Promise<void> {
    const { records, clock, emit } = this.deps;
    const now = clock.now();
    const over = [...this.openByMachine().values()]
      .flat()
      .filter(({ until }) => until !== undefined && Date.parse(until) <= now);
    if (over.length > 0) {
      await this.keep(
        over.map((order) =>
          records.orders.put({ ...order, endedAt: order.until, endedBy: 'its time' }),
        ),
      );
      for (const { machine } of over) emit({ type: 'orders', machine });
    }
    if (clock.uptime() - this.forgotAt < forgetEverySeconds) return;
    this.forgotAt = clock.uptime();
    await this.forgetOld(now);
  }

  /** Those that touch the span. */
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

  private shown(order: OrderRecord): MachineOrder {
    const { endedAt, endedBy, ...shown } = order;
    const isOpen = order.deliveredAt === undefined && endedAt === undefined;
    const why = isOpen ? this.whyUndelivered(order.machine) : undefined;
    return { ...shown, ...given({ why }) };
  }

  private whyUndelivered(machine: string): string | undefined {
    return this.failures.get(machine) ?? this.deps.agents.view(machine).why;
  }

  /** Each once. @throws HttpProblem 404 */
  private known(names: readonly string[]): string[] {
    const { machines } = this.deps.rack();
    const unknown = names.filter((name) => !machines.has(name));
    const [first] = unknown;
    if (first === undefined) return [...new Set(names)];
    const hint = unknown.length === 1 ? didYouMean(first, machines.keys()) : '';
    throw new HttpProblem(404, `rack.yaml has no machine ${unknown.join(', ')}${hint}`);
  }

  /** @throws HttpProblem 409 */
  private checkCount(number: number, count: number | undefined): void {
    const size = this.deps.rack().machines.size;
    if (number <= 1 || number <= size * largeShare || count === number) return;
    const found = count === undefined ? 'no count was given' : `the count given is ${count}`;
    throw new HttpProblem(
      409,
      `${number} of ${size} machines are more than a tenth of the rack, and ${found}; give \`count\`: ${number}, if you mean all of them`,
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
    if (old.length > 0) await this.keep(old.slice(0, mostForgotten));
  }

  private openByMachine(): Map<string, OrderRecord[]> {
    const { orders } = this.deps.records;
    this.open ??= Map.groupBy(
      [...orders.all.values()].filter(({ endedAt }) => endedAt === undefined),
      ({ machine }) => machine,
    );
    return this.open;
  }

  private async keep(changes: Parameters<Records['tables']['keep']>[0]): Promise<void> {
    const kept = this.deps.records.tables.keep(changes);
    // Memory has them already.
    this.open = undefined;
    await kept;
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

function reportedReason({ by, since, reason }: Order, newest: string | undefined): string {
  const journal = newest === undefined ? 'the new journal' : `the journal of ${newest}`;
  const claim = `reported by the machine as ordered by ${by} at ${since}`;
  return `${claim}; ${journal} does not contain it: ${reason}`.slice(0, 1000);
}
