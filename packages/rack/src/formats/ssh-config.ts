/** Hosts of ssh_config(5), for ~/.ssh/config.d: machines are behind the jumphost. */
import type { Rack } from '../rack/rack.ts';

export function sshConfig({ name, jumphost, machines, logins }: Rack): string {
  const others = [...machines.values()].map((machine) => {
    const { address, login, ports } = machine;
    const user = login === undefined ? undefined : logins.get(login)?.username;
    return [
      `Host ${machine.name}`,
      ...(address === undefined ? [] : [`  HostName ${address}`]),
      // Another Pi may get the address.
      `  HostKeyAlias ${machine.name}`,
      ...(ports.ssh === undefined ? [] : [`  Port ${ports.ssh}`]),
      ...(user === undefined ? [] : [`  User ${user}`]),
      `  ProxyJump ${jumphost.name}`,
    ];
  });
  return [
    `# Machines in ${name}. Generated from rack.yaml by skolo. Add an entry for ${jumphost.name} manually.`,
    ...others.flat(),
    '',
  ].join('\n');
}
