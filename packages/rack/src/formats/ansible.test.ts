import { describe, expect, it } from 'vitest';
import { smallRack } from '../testing/example.ts';
import { ansibleInventory } from './ansible.ts';
import { readAnsible } from './ansible-import.ts';
import { sshConfig } from './ssh-config.ts';

describe('an inventory of Ansible', () => {
  it('is read from INI: ranges, groups of groups, variables by their strength', () => {
    const text = `; of the lab
printer ansible_host=10.1.1.200
[server]
host01 ansible_host=10.1.1.2 k3s_version="v1.32 x"  # the master

[agent]
host[02:04] ansible_user=ann ansible_host=host.lab.example
red[a:b].lan ansible_port=2222

[k3s_cluster:children]
server
agent
[k3s_cluster:vars]
ansible_user = pi
[all:vars]
ansible_user=root
`;

    const { hosts, ignored } = readAnsible(text, 'hosts');

    expect(hosts).toEqual([
      { name: 'printer', address: '10.1.1.200', user: 'root', groups: ['ungrouped', 'all'] },
      { name: 'host01', address: '10.1.1.2', user: 'pi', groups: ['server', 'k3s_cluster', 'all'] },
      ...['host02', 'host03', 'host04'].map((name) => ({
        name,
        user: 'ann',
        groups: ['agent', 'k3s_cluster', 'all'],
      })),
      ...['reda.lan', 'redb.lan'].map((name) => ({
        name,
        user: 'pi',
        port: 2222,
        groups: ['agent', 'k3s_cluster', 'all'],
      })),
    ]);
    expect(ignored).toEqual([
      'ansible_host of host[02-04], which is not an address',
      'k3s_version',
    ]);
  });

  it('is read from YAML, as k3s-ansible has it', () => {
    const text = `---
k3s_cluster:
  children:
    server:
      hosts:
        192.16.35.11:
    agent:
      hosts:
        192.16.35.[12:13]:
          ansible_user: ann
  vars:
    ansible_port: 22
    ansible_user: debian
    token: "changeme!"
`;

    const { hosts, ignored } = readAnsible(text, 'inventory');

    expect(hosts.map(({ address, user, groups }) => [address, user, groups[0]])).toEqual([
      ['192.16.35.11', 'debian', 'server'],
      ['192.16.35.12', 'ann', 'agent'],
      ['192.16.35.13', 'ann', 'agent'],
    ]);
    expect(ignored).toEqual(['token']);
  });

  it.each([
    ['[a]\nhost[3:1]\n', 'x:2 host[3:1]: [3:1] is not a range'],
    ['[a]\nhost1 hunter2\n', /^x:2: a word is not a variable; write KEY=VALUE$/],
    ['---\nall:\n  vars: { password: "hunter2\n', /^x(:\d+)?: not valid YAML or JSON; fix it$/],
    ['all:\n  [1, 2]\n', 'x: all is not an Ansible group'],
    ['', 'x does not contain any hosts'],
  ])('%j is rejected', (text, why) => {
    expect(() => readAnsible(text, 'x')).toThrow(why);
  });

  it('is written, and read back', () => {
    const rack = smallRack(`logins: { pis: { username: pi } }
machines:
  rpi-[1-2]: { kind: rpi, address: 192.168.1.[101-102], login: pis }
`);

    expect(readAnsible(ansibleInventory(rack), 'inventory.yaml').hosts).toEqual([
      { name: 'jumphost', address: '192.168.1.8', groups: ['server', 'k3s_cluster'] },
      { name: 'rpi-1', address: '192.168.1.101', user: 'pi', groups: ['agent', 'k3s_cluster'] },
      { name: 'rpi-2', address: '192.168.1.102', user: 'pi', groups: ['agent', 'k3s_cluster'] },
    ]);
    expect(sshConfig(rack)).toContain(
      'Host rpi-2\n  HostName 192.168.1.102\n  HostKeyAlias rpi-2\n  User pi\n  ProxyJump jumphost\n',
    );
  });
});
