/** Names and addresses of a rack, and /etc/hosts. */
import type { Rack } from '../rack/rack.ts';

interface Host {
  name: string;
  address: string;
  aliases: string[];
  mac?: string;
}

/** All entries with an address. */
export function hostsOf(rack: Rack): Host[] {
  const { jumphost } = rack;
  const hosts: Host[] = [
    {
      name: jumphost.name,
      address: jumphost.address,
      aliases: jumphost.aliases,
      ...macOf(jumphost),
    },
  ];
  for (const entry of [...rack.equipment.values(), ...rack.machines.values()]) {
    if (entry.address !== undefined) {
      hosts.push({ name: entry.name, address: entry.address, aliases: [], ...macOf(entry) });
    }
    const devices = 'devices' in entry ? entry.devices : [];
    for (const { fullName, address } of devices) {
      if (address !== undefined) hosts.push({ name: fullName, address, aliases: [] });
    }
  }
  return hosts;
}

function macOf({ mac }: { mac?: string }): { mac?: string } {
  return mac === undefined ? {} : { mac };
}

/** Names of a host, full and short. An alias with a dot is a full name. */
export function namesOf({ name, aliases }: Host, domain: string): string[] {
  return [name, ...aliases].flatMap((one) =>
    one.includes('.') ? [one] : [`${one}.${domain}`, one],
  );
}

/** Lines of /etc/hosts: address, full name, short name, aliases. */
export function hostsFile(rack: Rack): string {
  const lines = hostsOf(rack).map(
    (host) => `${host.address}\t${namesOf(host, rack.network.domain).join(' ')}`,
  );
  return `# Names in ${rack.name}. Generated from rack.yaml by skolo.\n${lines.join('\n')}\n`;
}
