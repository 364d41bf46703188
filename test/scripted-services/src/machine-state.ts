/** A machine-state without agents. */
import {
  consoleApi,
  type Machine,
  type MachineOrder,
  machineStateApi,
  type RackView,
  type SendEvent,
} from '@skolo/api';
import { createApp, HttpProblem, type RouteHandlers } from '@skolo/common';
import { screenshot } from '@skolo/simulators';
import { ago } from './ago.ts';
import { exampleMachines } from './example/machines.ts';
import { timelineOf } from './example/timeline.ts';
import { type Call, type ScriptedService, startScriptedService } from './service.ts';
import type { TestTokens } from './tokens.ts';
import type { MachineWorld } from './worlds.ts';

type Send = SendEvent<(typeof machineStateApi.changes)['events']>;

/** The stream of changes. An event's ID is its number, so a reader that reconnects gets what it has missed. */
export class Changes {
  private readonly events: ((send: Send) => void)[] = [];
  private readonly readers = new Set<Send>();

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
      return () => this.readers.delete(send);
    };
  }

  private add(event: (send: Send, id: string) => void): void {
    const id = String(this.events.length + 1);
    this.events.push((send) => event(send, id));
    for (const send of this.readers) event(send, id);
  }
}

/** Default: the rack of the examples. */
export function startMachineState({ tokens }: { tokens: TestTokens }): Promise<ScriptedService> {
  const api = { ...machineStateApi, createLink: consoleApi.createLink };
  return startScriptedService(
    'machine-state',
    tokens,
    (context) => {
      const changes = new Changes();
      const handlers = machineStateHandlers({ world: exampleMachines, changes });
      const { signal } = context;
      return createApp(context, {
        api,
        handlers: {
          ...handlers,
          createLink: () => ({ status: 201, body: { code: 'used-once', expiresAt: ago(-60) } }),
          changes(request) {
            const changed = setTimeout(() => {
              const third = exampleMachines.machines().find(({ name }) => name === 'rpi-003');
              if (third) {
                changes.machine({ ...third, condition: 'ok', sentence: 'waiting for a task' });
              }
            }, 100);
            signal.addEventListener('abort', () => clearTimeout(changed));
            return handlers.changes(request);
          },
        },
      });
    },
    { rack: 'rack7' },
  );
}

type Handlers = RouteHandlers<typeof machineStateApi>;

interface Parts {
  world: MachineWorld;
  calls: Call[];
  orders: MachineOrder[];
  all(): Machine[];
  find(name: string): Machine;
}

export function machineStateHandlers({
  world,
  changes,
  calls = [],
}: {
  world: MachineWorld;
  changes: Changes;
  calls?: Call[];
}): Handlers {
  const orders: MachineOrder[] = [];

  function all(): Machine[] {
    return world.machines().map((machine) => {
      const own = orders.filter((order) => order.machine === machine.name);
      return { ...machine, orders: [...machine.orders, ...own] };
    });
  }

  function find(name: string): Machine {
    const found = all().find((machine) => machine.name === name);
    if (found === undefined) throw new HttpProblem(404, `rack.yaml has no machine ${name}`);
    return found;
  }

  const parts = { world, calls, orders, all, find };
  return {
    machines: () => ({ status: 200, body: { machines: all() } }),
    rack: () => ({ status: 200, body: world.rack() }),
    machine: ({ params: { name } }) => ({ status: 200, body: find(name) }),
    changes: ({ headers }) => ({
      status: 200,
      follow: changes.follow({ ...world, machines: all }, headers['last-event-id']),
    }),
    ...recordHandlers(parts),
    ...orderHandlers(parts),
    ...agentHandlers(parts),
  };
}

function recordHandlers({ world, calls, find }: Parts) {
  return {
    history({ params: { name }, query }) {
      const kinds = query.kind?.split(',');
      const entries = world
        .history(find(name), spanOf(query))
        .filter((entry) => kinds?.includes(entry.kind) ?? true);
      const truncated = entries.length > query.limit;
      return { status: 200, body: { entries: entries.slice(0, query.limit), truncated } };
    },
    curves({ params: { name }, query }) {
      find(name);
      return { status: 200, body: { curves: world.curves?.(spanOf(query)) ?? [] } };
    },
    timeline({ query: { until } }) {
      const names = world.machines().map(({ name }) => name);
      const end = until === undefined ? Date.now() : Date.parse(until);
      return { status: 200, body: timelineOf(world.rack().rack, names.slice(0, 12), end) };
    },
    downtime: ({ query: { limit } }) => ({
      status: 200,
      body: { machines: world.downtime().slice(0, limit) },
    }),
    addNote({ body }) {
      for (const name of body.machines) find(name);
      calls.push({ name: 'addNote', body });
      return { status: 201 };
    },
  } satisfies Partial<Handlers>;
}

function orderHandlers({ world, calls, orders, all, find }: Parts) {
  function newOrder(machine: string, given: Omit<MachineOrder, 'id' | 'machine' | 'since'>) {
    const since = new Date().toISOString();
    const isAway = world.isAway?.(machine) ?? false;
    const order = {
      ...given,
      id: `o${orders.length}`,
      machine,
      since,
      ...(isAway ? { why: 'connection refused' } : { deliveredAt: since }),
    };
    orders.push(order);
    const condition = given.kind === 'maintenance' ? 'maintenance' : 'quarantined';
    const sentence = `${given.by}: ${given.reason}`;
    world.show?.({ ...find(machine), condition, since, sentence });
    return order;
  }

  return {
    order({ body, caller }) {
      const { machines: names, kind, reason, until, count } = body;
      if (names.length > all().length / 10 && count !== names.length) {
        const detail = `these are ${names.length} machines; send their number as count`;
        throw new HttpProblem(409, detail);
      }
      calls.push({ name: 'order', body });
      const given = { kind, by: caller.name, reason, ...(until && { until }) };
      return { status: 201, body: { orders: names.map((name) => newOrder(name, given)) } };
    },
    endOrder({ params: { id } }) {
      const at = orders.findIndex((order) => order.id === id);
      const [ended] = at < 0 ? [] : orders.splice(at, 1);
      if (ended === undefined) throw new HttpProblem(404, `${id}: no such order`);
      calls.push({ name: 'endOrder', body: { id } });
      const sentence = 'It waits for a task.';
      world.show?.({ ...find(ended.machine), condition: 'ok', sentence });
      return { status: 200, body: ended };
    },
  } satisfies Partial<Handlers>;
}

function agentHandlers({ calls, find }: Parts) {
  return {
    log({ params: { name }, query: { after = -1 } }) {
      find(name);
      const lines = Array.from({ length: 40 }, (_, number) => ({
        number,
        at: ago(40 - number),
        from: number % 3 === 0 ? ('agent' as const) : ('bot' as const),
        text: number % 3 === 0 ? 'device present, battery 82%' : `task step ${number}: running`,
      }));
      return { status: 200, body: { lines: lines.filter(({ number }) => number > after) } };
    },
    screen({ params: { name }, body: { fresh, force } }) {
      const { task } = find(name);
      if (!fresh) {
        const detail = 'device: no screenshot is stored; request a fresh one';
        throw new HttpProblem(404, detail);
      }
      if (task !== undefined && !force) throw new HttpProblem(409, `task ${task.id} is running`);
      return {
        status: 200,
        body: screenshot,
        headers: { 'last-modified': new Date(ago(9.5 * 60)).toUTCString() },
      };
    },
    clear({ params: { name }, body }) {
      const { health } = find(name);
      calls.push({ name: 'clear', body });
      if (!health) throw new HttpProblem(503, 'the agent is not responding');
      return { status: 200, body: health };
    },
    repair({ params, body }) {
      calls.push({ name: 'repair', body: { ...params, ...body } });
      return { status: 202 };
    },
    reboot({ params: { name }, body }) {
      if (find(name).task) throw new HttpProblem(409, `${name} runs a task`);
      calls.push({ name: 'reboot', body });
      return { status: 202 };
    },
  } satisfies Partial<Handlers>;
}

/** Default: the last day. */
function spanOf({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  const end = to === undefined ? Date.now() : Date.parse(to);
  return { from: from === undefined ? end - 86_400_000 : Date.parse(from), to: end };
}
