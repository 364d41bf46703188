/** A machine-state without agents: the API over a real socket, with the machines of rack7.yaml. */
import { consoleApi, type Machine, type MachineOrder, machineStateApi } from '@skolo/api';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { screenshot } from '@skolo/simulators';
import { machineHistory, machines, rackView, sickMachines } from './machine-data.ts';
import { ago } from './power-data.ts';
import { startTestService, type TestService } from './test-service.ts';
import type { TestTokens } from './tokens.ts';

/** Those that the command calls. */
const {
  curves: _curves,
  log: _log,
  clear: _clear,
  repair: _repair,
  reboot: _reboot,
  ...own
} = machineStateApi;
const api = { ...own, createLink: consoleApi.createLink };

export function startMachineState({ tokens }: { tokens: TestTokens }): Promise<TestService> {
  const handler = (context: ServiceContext) => createApp({ ...context, api, handlers: handlers() });
  return startTestService('machine-state', tokens, handler, 'rack7');
}

function handlers(): RouteHandlers<typeof api> {
  const orders: MachineOrder[] = [];

  function all(): Machine[] {
    return machines().map((machine) => {
      const own = orders.filter((order) => order.machine === machine.name);
      return { ...machine, orders: [...machine.orders, ...own] };
    });
  }

  function find(name: string): Machine {
    const found = all().find((machine) => machine.name === name);
    if (found === undefined) throw new HttpProblem(404, `rack.yaml has no machine ${name}`);
    return found;
  }

  return {
    createLink: () => ({ status: 201, body: { code: 'used-once', expiresAt: ago(-60) } }),
    machines: () => ({ status: 200, body: { machines: all() } }),
    rack: () => ({ status: 200, body: rackView() }),
    machine: ({ params: { name } }) => ({ status: 200, body: find(name) }),
    changes: () => ({
      status: 200,
      follow(send) {
        send('all', { machines: all(), rack: rackView() });
        const changed = setTimeout(() => {
          send('machine', { ...find('rpi-003'), condition: 'ok', sentence: 'waits for a task' });
        }, 100);
        return () => clearTimeout(changed);
      },
    }),
    history({ params: { name }, query: { kind, limit } }) {
      find(name);
      const kinds = kind?.split(',');
      const entries = machineHistory(name).filter((entry) => kinds?.includes(entry.kind) ?? true);
      const truncated = entries.length > limit;
      return { status: 200, body: { entries: entries.slice(0, limit), truncated } };
    },
    sickest: ({ query: { limit } }) => ({
      status: 200,
      body: { machines: sickMachines.slice(0, limit) },
    }),
    addNote({ body }) {
      for (const name of body.machines) find(name);
      return { status: 201 };
    },
    order({ body: { machines: names, kind, reason, until, count }, caller }) {
      if (names.length > all().length / 10 && count !== names.length) {
        throw new HttpProblem(
          409,
          `these are ${names.length} machines; send their number as count`,
        );
      }
      const since = new Date().toISOString();
      const made = names.map((machine, at): MachineOrder => {
        // Its agent does not answer.
        const isAway = machine === 'rpi-005';
        const delivery = isAway ? { why: 'connection refused' } : { deliveredAt: since };
        const id = `o${orders.length + at}`;
        return {
          id,
          machine,
          kind,
          by: caller.name,
          reason,
          since,
          ...delivery,
          ...(until && { until }),
        };
      });
      orders.push(...made);
      return { status: 201, body: { orders: made } };
    },
    endOrder({ params: { id } }) {
      const at = orders.findIndex((order) => order.id === id);
      const [ended] = at < 0 ? [] : orders.splice(at, 1);
      if (ended === undefined) throw new HttpProblem(404, `${id}: no such order`);
      return { status: 200, body: ended };
    },
    screen({ params: { name }, body: { fresh, force } }) {
      const { task } = find(name);
      if (!fresh)
        throw new HttpProblem(
          404,
          'device: no screenshot is kept as evidence; ask for a fresh one',
        );
      if (task !== undefined && !force) throw new HttpProblem(409, `task ${task.id} is running`);
      return {
        status: 200,
        body: screenshot,
        headers: { 'last-modified': new Date(ago(9.5 * 60)).toUTCString() },
      };
    },
  };
}
