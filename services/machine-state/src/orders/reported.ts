/**
 * Decides which orders that only an agent reports are kept: none, except a quarantine after the journal was lost, damaged or restored
 * from a copy.
 */
import { randomUUID } from 'node:crypto';
import type { Order } from '@skolo/api';
import type { Clock, ServiceContext } from '@skolo/common';
import { given } from '../join/machine.ts';
import type { AgentView } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import type { OrderRecord } from '../records.ts';
import { mostActive, type Orders } from './orders.ts';

interface ReportedDeps
  extends Pick<ServiceContext, 'audit' | 'log'>,
    Pick<PartDeps, 'rack' | 'records'> {
  clock: Pick<Clock, 'now'>;
  orders: Pick<Orders, 'writeLater' | 'openByMachine'>;
}

/** Machines whose quarantine only they report. More are more likely an attack than a loss, so a person decides. */
const mostReporting = 10;

export class ReportedOrders {
  private readonly deps: ReportedDeps;
  /** Machines that report a quarantine for which there is no room. */
  private readonly waiting = new Set<string>();
  private isLoaded = false;

  constructor(deps: ReportedDeps) {
    this.deps = deps;
  }

  /** The journal was read. @param isIncomplete whether orders that machines have may be missing from it */
  reload(isIncomplete: boolean): void {
    const { records, rack, orders } = this.deps;
    this.isLoaded = true;
    if (!isIncomplete) return;
    const times = [
      ...[...records.orders.all.values()].map(({ since, endedAt = since }) => endedAt),
      ...[...records.notes.all.values()].map(({ at }) => at),
    ];
    const newest = given({ newest: times.sort().at(-1) });
    const machines = [...rack().machines.keys()];
    void orders.writeLater(machines.map((machine) => records.unheard.put({ machine, ...newest })));
  }

  /** Those that the journal does not contain. */
  unknown(machine: string, { status }: Pick<AgentView, 'status'>): Order[] {
    if (!this.isLoaded) return [];
    const { orders } = this.deps.records;
    return (status?.orders ?? []).filter(({ id }) => orders.get(id)?.machine !== machine);
  }

  /** Those of them that the journal may have lost. Their agents keep them until they have been heard. */
  lost(machine: string, view: Pick<AgentView, 'status'>): Order[] {
    if (this.deps.records.unheard.get(machine) === undefined) return [];
    // A hostile machine must not silence its alerts with a maintenance.
    const quarantines = this.unknown(machine, view).filter(({ kind }) => kind === 'quarantine');
    return quarantines.slice(0, mostActive);
  }

  /** Number of machines that report a quarantine for which there is no room. */
  get notHeard(): number {
    const { machines } = this.deps.rack();
    return [...this.waiting].filter((machine) => machines.has(machine)).length;
  }

  /**
   * The first answer of a machine since the journal was lost or restored: its quarantine becomes an order without an author, as long as
   * there is room. It takes effect in memory before this returns.
   */
  async hear(machine: string, view: Pick<AgentView, 'status'>): Promise<void> {
    const { records, orders, clock } = this.deps;
    const unheard = records.unheard.get(machine);
    if (unheard === undefined) return;
    const lost = this.lost(machine, view);
    const reporting = [...orders.openByMachine().values()].filter((open) =>
      open.some(({ by }) => by === undefined),
    );
    if (lost.length > 0 && reporting.length >= mostReporting) {
      this.waiting.add(machine);
      return;
    }
    this.waiting.delete(machine);
    const since = new Date(clock.now()).toISOString();
    const heard = lost.map(
      (order): OrderRecord => ({
        id: randomUUID(),
        machine,
        kind: 'quarantine',
        since,
        reason: reportedReason(order, unheard.newest),
      }),
    );
    const changes = heard.map((order) => records.orders.put(order));
    await orders.writeLater([...changes, records.unheard.remove(machine)]);
    for (const order of heard) await this.record(order);
  }

  private async record({ id, machine, reason: why }: OrderRecord): Promise<void> {
    const { audit, log } = this.deps;
    const entry = { who: machine, what: 'reportedOrder', target: machine, why, outcome: 'done' };
    await audit.append({ ...entry, answer: { id } }).catch((error: unknown) => {
      log.error({ err: error, entry }, 'audit log entry not written');
    });
  }
}

function reportedReason({ by, since, reason }: Order, newest: string | undefined): string {
  const journal =
    newest === undefined ? 'the new journal' : `the journal, whose newest entry is from ${newest},`;
  const claim = `reported by the machine as ordered by ${by} at ${since}`;
  return `${claim}; ${journal} does not contain this order; the reason given was: ${reason}`.slice(
    0,
    1000,
  );
}
