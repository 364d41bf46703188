/** machine-state, wired. */
import { machineStateApi } from '@skolo/api';
import {
  createApp,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import { errorText } from '@skolo/errors';
import { checkSecrets as checkReferences, type Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { RackFile } from './rack-file.ts';

const { machines, machine, rack } = machineStateApi;
const api = { machines, machine, rack };

export function createMachineState(): ServiceDefinition {
  return { name: 'machine-state', api, checkSecrets, start };
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

async function start(context: ServiceContext): Promise<Service> {
  const rackFile = new RackFile(context.rack, context.clock);
  const handler = createApp({
    ...context,
    api,
    handlers: apiHandlers({ rack: () => context.rack.rack, rackFile }),
  });
  return {
    handler,
    readiness: () => ({ ready: true, degraded: [] }),
    stop: async () => rackFile.close(),
  };
}
