/** Handlers of the HTTP API. */
import type { machineStateApi } from '@skolo/api';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import { didYouMean, type Rack } from '@skolo/rack';
import type { Changes } from './changes.ts';
import type { Current } from './current.ts';
import { matches } from './join/filter.ts';

export interface ApiDeps {
  rack(): Rack;
  current: Current;
  changes: Changes;
}

type Served = Pick<typeof machineStateApi, 'machines' | 'machine' | 'rack' | 'changes'>;

export function apiHandlers({ rack, current, changes }: ApiDeps): RouteHandlers<Served> {
  return {
    machines: ({ query }) => {
      const machines = current.machines().filter((machine) => matches(machine, query));
      return { status: 200, body: { machines } };
    },
    machine({ params: { name } }) {
      const found = current.machine(name);
      if (found === undefined) throw unknownMachine(rack(), name);
      return { status: 200, body: found };
    },
    rack: () => ({ status: 200, body: current.rack() }),
    changes: ({ headers }) => ({ status: 200, follow: changes.follow(headers['last-event-id']) }),
  };
}

function unknownMachine(rack: Rack, name: string): HttpProblem {
  const hint = didYouMean(name, rack.machines.keys());
  return new HttpProblem(404, `rack.yaml has no machine ${name}${hint}`);
}
