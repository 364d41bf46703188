import { count } from '@skolo/base';
import { type ServiceName, serviceNames } from '@skolo/rack/light';
import type { Host } from '@skolo/setup/engine';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { enabledServices, runningProcess, thisComputer, unitState } from './installed.ts';

/** `skolo service list`: lists what runs on this computer, according to its processes. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the services that skolo can run on this computer without Kubernetes, with the version and rack.yaml of each running process. A service that keeps exiting is listed as crashing. The command requires root or sudo.',
    )
    .summary('list services on this computer')
    .option('--json', 'print JSON')
    .uses()
    .example('skolo service list');

  command.interruptible(async (signal, { json }: { json?: true }) => {
    const host = await thisComputer(signal);
    const enabled = await enabledServices(host);
    const services = [];
    for (const service of serviceNames) {
      const process = await runningProcess(host, service);
      services.push({
        service,
        isEnabled: enabled.includes(service),
        state: await stateOf(host, service),
        version: process?.version,
        rack: process?.variables.SKOLO_RACK,
      });
    }
    if (json) return printJson(command.io, { services });
    printTable(
      command.io,
      [
        { title: 'SERVICE', cell: ({ service }) => service },
        { title: 'ENABLED', cell: ({ isEnabled }) => (isEnabled ? 'yes' : 'no') },
        { title: 'STATE', cell: ({ state }) => state },
        { title: 'VERSION', cell: ({ version }) => version },
        { title: 'RACK', cell: ({ rack }) => rack },
      ],
      services,
    );
  });
}

async function stateOf(host: Host, service: ServiceName): Promise<string> {
  const { active, crashes } = await unitState(host, service);
  return crashes === 0 ? active : `crashing (${count(crashes, 'time')})`;
}
