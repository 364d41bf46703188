import type { FleetRack, Jumphost } from '@skolo/fleet';
import { serviceNames } from '@skolo/rack/light';
import { z } from 'zod';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import {
  interruptible,
  openJumphostOf,
  openNamed,
  rackNamed,
  readRackOf,
} from '../../reach/racks.ts';
import { untilStopped } from '../../until-stopped.ts';

/** `skolo forward`: opens a local URL for a rack's service. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Forwards a local URL to a service in a rack until you press Ctrl-C. You can forward skolo services, and Kubernetes Services in the skolo namespace, such as prometheus, alertmanager or grafana. The host name in the URL is secret, so that other users of your workstation cannot access the service. Requests count as external, so send your own token.',
    )
    .argument('<rack>', 'rack name, as listed by skolo racks')
    .argument('<service>', 'service name')
    .uses('clusters')
    .example('skolo forward rack4 prometheus');

  command.action(async (name: string, service: string) => {
    const { io } = command;
    const { jumphost, target } = await findTarget(command, await rackNamed(command, name), service);
    const { startForward } = await import('@skolo/fleet');
    const forward = await startForward(target, jumphost.connect);
    command.atEnd(forward.close);
    const stop = untilStopped(io);
    io.out(`${forward.url}/`);
    io.err(`${service} of ${name} is available at this URL until you press Ctrl-C`);
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    }
  });
}

interface Found {
  jumphost: Pick<Jumphost, 'connect' | 'fetch'>;
  target: URL;
}

/** The service's address, as the jumphost reaches it. */
async function findTarget(command: SkoloCommand, rack: FleetRack, service: string): Promise<Found> {
  const own = serviceNames.find((each) => each === service);
  if (own === undefined || own === 'swarming-client')
    return await inCluster(command, rack, service);
  const { serviceUrl } = await import('@skolo/rack/light');
  const target = new URL(serviceUrl(await readRackOf(rack), own));
  return { jumphost: await openJumphostOf(command, rack), target };
}

const Services = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        clusterIP: z.string().optional(),
        ports: z.array(z.object({ port: z.number() })).default([]),
      }),
    }),
  ),
});

async function inCluster(command: SkoloCommand, rack: FleetRack, name: string): Promise<Found> {
  const open = await openNamed(command, rack.name, 'view');
  const { kubectlJson } = await import('../../reach/kubectl-json.ts');
  const { items } = await interruptible(command, (signal) =>
    kubectlJson(open, Services, ['get', 'services', '-n', 'skolo'], signal),
  );
  const found = items.find(({ metadata }) => metadata.name === name);
  const { clusterIP, ports } = found?.spec ?? {};
  const port = ports?.[0]?.port;
  if (clusterIP !== undefined && clusterIP !== 'None' && port !== undefined) {
    const host = clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP;
    return { jumphost: open, target: new URL(`http://${host}:${port}`) };
  }
  const { didYouMean } = await import('@skolo/rack/light');
  const names = [...items.map(({ metadata }) => metadata.name), ...serviceNames];
  throw new CliError(
    `${name}: no such service in ${rack.name}${didYouMean(name, names, `its services are ${names.join(', ')}`)}`,
  );
}
