import { shellWord } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const metadataServer: DemoService = {
  name: 'metadata-server',
  // Only root may listen on its usual port.
  otherPort: 8080,
  suggestions,
};

function suggestions({ rack, rackFile, url, metricsUrl }: RunningService): Suggestion[] {
  const caller = findCaller(rack);
  const other = [...rack.identities.keys()].find((name) => name !== caller.identity) ?? 'none';
  const from = caller.address === undefined ? '' : `--interface ${caller.address} `;
  const account = `${url}/computeMetadata/v1/instance/service-accounts/default`;
  return [
    {
      text: `Ask for a token as ${caller.name} (in another terminal):`,
      commands: [`curl ${from}-H 'Metadata-Flavor: Google' ${account}/token`],
    },
    {
      text: 'Whose token it is:',
      commands: [`curl ${from}-H 'Metadata-Flavor: Google' ${account}/email`],
    },
    {
      text: `Edit ${rackFile}: give ${caller.name}
the identity \`${other}\` instead of \`${caller.identity}\`, and ask again.
An error changes nothing; it is shown here, with its line.`,
    },
    {
      text: 'The inventory, who asked for tokens, and whether the service is well:',
      commands: [
        `npx skolo inventory list --rack ${shellWord(rackFile)}`,
        `npx skolo metadata clients --rack ${shellWord(rackFile)}`,
        `curl ${metricsUrl}/readyz`,
      ],
    },
  ];
}

/** A caller on this computer that gets tokens: a machine, or else the jumphost, which needs no particular address. */
function findCaller(rack: Rack): { name: string; identity: string; address?: string } {
  const { jumphost, defaultIdentity } = rack;
  for (const machine of rack.machines.values()) {
    const identity = machine.identity ?? defaultIdentity;
    const { name, address } = machine;
    if (!address?.startsWith('127.') || identity === undefined || identity === 'none') continue;
    return { name, identity, ...(address !== jumphost.address && { address }) };
  }
  return { name: jumphost.name, identity: jumphost.identity ?? defaultIdentity ?? 'none' };
}
