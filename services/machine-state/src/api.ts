/** Handlers of the HTTP API. */
import type { machineStateApi } from '@skolo/api';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import { didYouMean, type Machine, type Rack } from '@skolo/rack';
import { matches } from './join/filter.ts';
import { joinMachine } from './join/machine.ts';
import { joinRack } from './join/rack-view.ts';
import type { RackFile } from './rack-file.ts';

export interface ApiDeps {
  rack(): Rack;
  rackFile: RackFile;
}

type Served = Pick<typeof machineStateApi, 'machines' | 'machine' | 'rack'>;

export function apiHandlers({ rack, rackFile }: ApiDeps): RouteHandlers<Served> {
  const { staleSeconds, goneSeconds } = rack().services['machine-state'];
  const joined = (machine: Machine) =>
    joinMachine(
      machine,
      {
        agent: { silentSeconds: 0 },
        orders: [],
        services: {},
        alerts: [],
        limits: { staleSeconds, goneSeconds },
      },
      0,
    );
  return {
    machines: ({ query }) => ({
      status: 200,
      body: {
        machines: [...rack().machines.values()]
          .map((machine) => joined(machine))
          .filter((machine) => matches(machine, query)),
      },
    }),
    machine({ params: { name } }) {
      const found = rack().machines.get(name);
      if (found === undefined) throw unknownMachine(rack(), name);
      return { status: 200, body: joined(found) };
    },
    rack: () => ({
      status: 200,
      body: joinRack(rack(), {
        ...{ rackFile: rackFile.view(), services: {}, states: [], causes: [], alerts: [] },
      }),
    }),
  };
}

function unknownMachine(rack: Rack, name: string): HttpProblem {
  const hint = didYouMean(name, rack.machines.keys());
  return new HttpProblem(404, `rack.yaml has no machine ${name}${hint}`);
}
