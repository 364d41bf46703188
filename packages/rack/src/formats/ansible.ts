/** An Ansible inventory in YAML, with the groups of k3s-ansible: `server` is the jumphost, `agent` the machines. */
import { stringify } from 'yaml';
import type { Rack } from '../rack/rack.ts';

/** Source: docs.ansible.com, "How to build your inventory"; github.com/k3s-io/k3s-ansible, inventory-sample.yml. */
export function ansibleInventory({ name, jumphost, machines, logins }: Rack): string {
  const agents = [...machines.values()].map(({ name, address, login, ports }) => {
    const user = login === undefined ? undefined : logins.get(login)?.username;
    const variables = {
      ...(address !== undefined && { ansible_host: address }),
      ...(ports.ssh !== undefined && { ansible_port: ports.ssh }),
      ...(user !== undefined && { ansible_user: user }),
    };
    return [name, variables] as const;
  });
  const inventory = {
    k3s_cluster: {
      children: {
        server: { hosts: { [jumphost.name]: { ansible_host: jumphost.address } } },
        agent: { hosts: Object.fromEntries(agents) },
      },
    },
  };
  return `# Machines of ${name}. Generated from rack.yaml by skolo.\n${stringify(inventory)}`;
}
