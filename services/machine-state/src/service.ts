/** machine-state, wired. */
import { fileURLToPath } from 'node:url';
import { consoleApi, machineStateApi } from '@skolo/api';
import {
  createApp,
  createEvents,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import { errorText } from '@skolo/errors';
import { checkSecrets as checkReferences, type Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { Changes } from './changes.ts';
import { type AgentTuning, usualTuning } from './collect/agent-watch.ts';
import { Agents } from './collect/agents.ts';
import { OtherServices, type ServiceTuning, usualServiceTuning } from './collect/services.ts';
import { openConsole } from './console/open-console.ts';
import { Current } from './current.ts';
import type { MachineStateEvent } from './events.ts';
import { RackFile } from './rack-file.ts';

const { machines, machine, rack, changes } = machineStateApi;
const api = { machines, machine, rack, changes, ...consoleApi };
/** From `src` and from the bundle's `dist`. */
const pages = fileURLToPath(new URL('../pages', import.meta.url));

/** Periods that a test may shorten. */
export interface MachineStateDeps {
  agents?: Partial<AgentTuning>;
  services?: Partial<ServiceTuning>;
}

const tickMs = 1000;

export function createMachineState(deps: MachineStateDeps = {}): ServiceDefinition {
  return {
    name: 'machine-state',
    api,
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

async function checkSecrets(rack: Rack): Promise<string[]> {
  const checked = await checkReferences(rack, 'machine-state');
  return checked.flatMap(({ where, error }) =>
    // Files of TLS and of tokens are checked for every service alike.
    error === undefined || where.includes('.tls.') || where.startsWith('access.')
      ? []
      : [`${where}: ${errorText(error)}`],
  );
}

async function start(context: ServiceContext, deps: MachineStateDeps): Promise<Service> {
  const { clock } = context;
  const rack = () => context.rack.rack;
  const events = createEvents<MachineStateEvent>();
  const { emit } = events;

  const rackFile = new RackFile(context.rack, clock);
  const agents: Agents = new Agents({
    ...{ rack, clock, tuning: { ...usualTuning, ...deps.agents } },
    onView: (name) => current.touch(name),
  });
  const services: OtherServices = new OtherServices({
    ...{ rack, tuning: { ...usualServiceTuning, ...deps.services } },
    onChange: () => current.touch(),
    onCycle: (cycle) => emit({ type: 'cycle', cycle }),
  });
  const orders = { inForce: () => [] };
  const current = new Current({ rack, rackFile, clock, agents, services, orders, emit });
  const stream = new Changes({
    ...{ clock, machines: () => current.machines(), rack: () => current.rack() },
  });
  events.consume((event) => stream.consume(event));

  const webConsole = await openConsole(context, pages);
  const handlers = { ...apiHandlers({ rack, current, changes: stream }), ...webConsole.handlers };
  const handler = webConsole.around(createApp({ ...context, api, handlers }));
  agents.follow();
  services.start();
  const ticking = setInterval(() => current.tick(), tickMs);
  const unfollow = context.rack.onChange(() => {
    agents.follow();
    services.hurry();
    current.touch();
  });

  return {
    handler,
    readiness: () => ({ ready: true, degraded: [] }),
    async stop() {
      unfollow();
      clearInterval(ticking);
      rackFile.close();
      await Promise.all([agents.stop(), services.stop()]);
      current.stop();
    },
  };
}
