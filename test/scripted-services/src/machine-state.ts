/** The answers of a machine-state without agents. */
import type {
  Curve,
  HistoryEntry,
  Machine,
  MachineDowntime,
  MachineOrder,
  machineStateApi,
  RackView,
  SendEvent,
} from '@skolo/api';
import { HttpProblem } from '@skolo/common';
import { screenshot } from '@skolo/simulators';
import { ago } from './ago.ts';
import { incidentIn, incidentOf, incidentReportIn } from './example/incident.ts';
import { timelineOf } from './example/timeline.ts';
import type { Answers, ApiOf } from './service.ts';

/** What it knows. */
export interface MachineWorld {
  machines(): readonly Machine[];
  rack(): RackView;
  history(machine: Machine, span: { from: number; to: number }): HistoryEntry[];
  curves?(span: { from: number; to: number }): Curve[];
  downtime(): readonly MachineDowntime[];
  /** A machine has changed. */
  show?(machine: Machine): void;
  /** The agent of this machine does not respond. */
  isAway?(machine: string): boolean;
}

type Send = SendEvent<(typeof machineStateApi.changes)['events']>;
type MachineAnswers = Answers<ApiOf<'machine-state'>>;

/** The stream of changes. An event's ID is its number, so a reader that reconnects gets what it has missed. */
export class Changes {
  private readonly events: ((send: Send) => void)[] = [];
  private readonly readers = new Set<Send>();
  private readonly onReader: () => void;

  constructor(onReader: () => void = () => undefined) {
    this.onReader = onReader;
  }

  machine(machine: Machine): void {
    this.add((send, id) => send('machine', machine, id));
  }

  rack(rack: RackView): void {
    this.add((send, id) => send('rack', rack, id));
  }

  follow(world: MachineWorld, lastId: string | undefined): (send: Send) => () => void {
    return (send) => {
      if (lastId === undefined || Number(lastId) > this.events.length) {
        const all = { machines: [...world.machines()], rack: world.rack() };
        send('all', all, String(this.events.length));
      } else {
        for (const event of this.events.slice(Number(lastId))) event(send);
      }
      this.readers.add(send);
      this.onReader();
      return () => this.readers.delete(send);
    };
  }

  private add(event: (send: Send, id: string) => void): void {
    const id = String(this.events.length + 1);
    this.events.push((send) => event(send, id));
    for (const send of this.readers) event(send, id);
  }
}

interface Parts {
  world: MachineWorld;
  orders: MachineOrder[];
  find(name: string): Machine;
}

export function machineAnswers(world: MachineWorld, changes: Changes): MachineAnswers {
  const orders: MachineOrder[] = [];
  const all = () =>
    world.machines().map((machine) => {
      const own = orders.filter((order) => order.machine === machine.name);
      return { ...machine, orders: [...machine.orders, ...own] };
    });
  function find(name: string): Machine {
    const found = all().find((machine) => machine.name === name);
    if (found === undefined) throw new HttpProblem(404, `rack.yaml has no machine ${name}`);
    return found;
  }
  const parts = { world, orders, find };
  return {
    machines: () => ({ machines: all() }),
    rack: () => world.rack(),
    machine: ({ params: { name } }) => find(name),
    changes: ({ headers }) => ({
      status: 200,
      follow: changes.follow({ ...world, machines: all }, headers['last-event-id']),
    }),
    createLink: () => ({ code: 'used-once', expiresAt: ago(-60) }),
    ...recordAnswers(parts),
    ...orderAnswers(parts),
    ...agentAnswers(parts),
  };
}

/** Those about which the timeline is. */
function namesIn(world: MachineWorld): string[] {
  return world.machines().flatMap(({ name }, at) => (at < 12 ? [name] : []));
}

function recordAnswers({ world, find }: Parts): MachineAnswers {
  return {
    history({ params: { name }, query }) {
      const kinds = query.kind?.split(',');
      const entries = world
        .history(find(name), spanOf(query))
        .filter((entry) => kinds?.includes(entry.kind) ?? true);
      return {
        entries: entries.slice(0, query.limit),
        truncated: entries.length > query.limit,
      };
    },
    curves: ({ query }) => ({ curves: world.curves?.(spanOf(query)) ?? [] }),
    timeline({ query: { until } }) {
      const end = until === undefined ? Date.now() : Date.parse(until);
      return timelineOf(world.rack().rack, namesIn(world), end);
    },
    incidents({ query: { until } }) {
      const end = until === undefined ? Date.now() : Date.parse(until);
      const { rows } = timelineOf(world.rack().rack, namesIn(world), end);
      const incidents = [incidentIn(world.rack(), world.machines()), ...rows.flatMap(incidentOf)];
      return { incidents, truncated: false, missing: [] };
    },
    incident({ params: { id } }) {
      if (id === 'none') throw new HttpProblem(404, `the history has no incident ${id}`);
      const machines = world.machines();
      const [cause] = world.rack().causes;
      const names = cause?.machines ?? [];
      // In this example, a switch has died three hours before.
      const until = Date.parse(cause?.since ?? new Date().toISOString()) + 3 * 3_600_000;
      const { rows } = timelineOf(world.rack().rack, names, until);
      return incidentReportIn(world.rack(), machines, rows);
    },
    downtime: ({ query: { limit } }) => ({ machines: world.downtime().slice(0, limit) }),
    addNote({ body }) {
      for (const name of body.machines) find(name);
      return { status: 201 };
    },
  };
}

function orderAnswers({ world, orders, find }: Parts): MachineAnswers {
  function newOrder(machine: string, given: Omit<MachineOrder, 'id' | 'machine' | 'since'>) {
    const since = new Date().toISOString();
    const reached = world.isAway?.(machine)
      ? { why: 'connection refused' }
      : { deliveredAt: since };
    const order = { ...given, id: `o${orders.length}`, machine, since, ...reached };
    orders.push(order);
    const condition = given.kind === 'maintenance' ? 'maintenance' : 'quarantined';
    const sentence = `${given.by}: ${given.reason}`;
    world.show?.({ ...find(machine), condition, since, sentence });
    return order;
  }

  return {
    order({ body: { machines: names, kind, reason, until, count }, caller }) {
      if (names.length > world.machines().length / 10 && count !== names.length) {
        const detail = `these are ${names.length} machines; send their number as count`;
        throw new HttpProblem(409, detail);
      }
      const given = { kind, by: caller.name, reason, ...(until && { until }) };
      return { orders: names.map((name) => newOrder(name, given)) };
    },
    endOrder({ params: { id } }) {
      const at = orders.findIndex((order) => order.id === id);
      const [ended] = at < 0 ? [] : orders.splice(at, 1);
      if (ended === undefined) throw new HttpProblem(404, `${id}: no such order`);
      const sentence = 'It waits for a task.';
      world.show?.({ ...find(ended.machine), condition: 'ok', sentence });
      return ended;
    },
  };
}

function agentAnswers({ find }: Parts): MachineAnswers {
  return {
    log({ params: { name }, query: { after = -1 } }) {
      find(name);
      const lines = Array.from({ length: 40 }, (_, number) => ({
        number,
        at: ago(40 - number),
        from: number % 3 === 0 ? ('agent' as const) : ('bot' as const),
        text: number % 3 === 0 ? 'device present, battery 82%' : `task step ${number}: running`,
      }));
      return { lines: lines.filter(({ number }) => number > after) };
    },
    screen({ params: { name }, body: { fresh, force } }) {
      const { task } = find(name);
      if (!fresh) {
        const detail = 'device: no screenshot is stored; request a fresh one';
        throw new HttpProblem(404, detail);
      }
      if (task !== undefined && !force) throw new HttpProblem(409, `task ${task.id} is running`);
      const headers = { 'last-modified': new Date(ago(9.5 * 60)).toUTCString() };
      return { status: 200, body: screenshot, headers };
    },
    clear({ params: { name } }) {
      const { health } = find(name);
      if (health !== undefined) return health;
      throw new HttpProblem(503, 'the agent is not responding');
    },
    repair: { status: 202 },
    reboot({ params: { name } }) {
      if (find(name).task) throw new HttpProblem(409, `${name} runs a task`);
      return { status: 202 };
    },
  };
}

/** Default: the last day. */
function spanOf({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  const end = to === undefined ? Date.now() : Date.parse(to);
  return { from: from === undefined ? end - 86_400_000 : Date.parse(from), to: end };
}
