import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
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
host[02:04] ansible_user=ann
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
    expect(ignored).toEqual(['k3s_version']);
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
    ['pis:\n  rpi-1:\n', 'x: pis.rpi-1: a group has only hosts, children and vars'],
    ['---\nplugin: aws_ec2\n', 'x: plugin is not an Ansible group'],
    ['[a]\nb ansible_user="x\n', 'x:2: a quote is not closed'],
    ['h\n[a:children]\nb\n[b:children]\na\n', /contains itself/],
    ['', 'x does not contain any hosts'],
  ])('%j is rejected', (text, why) => {
    expect(() => readAnsible(text, 'x')).toThrow(why);
  });

  const folder = new URL('../../testdata/ansible/', import.meta.url);
  const cases = readdirSync(folder).filter((name) => name !== 'listed');
  const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');
  const byName = (found: ReturnType<typeof readAnsible>) => ({
    hosts: found.hosts
      .map(({ groups: _, ...host }) => host)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    left: found.left.toSorted(),
    bad: found.bad.toSorted(),
  });

  it.each(cases)('%s: is read as Ansible reads it', (name) => {
    const listed = readAnsible(textOf(`listed/${name}.json`), 'list.json');

    expect(byName(readAnsible(textOf(name), name))).toEqual(byName(listed));
  });

  it.for(cases)('%s: Ansible lists it as recorded', async (name, context) => {
    const program = peer('ansible');
    if (!program) return context.skip('ansible-core is not installed');

    const { stdout } = await run(program, ['-i', fileURLToPath(new URL(name, folder)), '--list']);

    expect(JSON.parse(stdout)._meta.hostvars).toEqual(
      JSON.parse(textOf(`listed/${name}.json`))._meta.hostvars,
    );
  });

  it('names hosts whose connection is not understood, instead of importing half of it', () => {
    const text = `[pis]
rpi-1 ansible_host=192.0.2.1 ansible_user="{{ me }}"
rpi-2 ansible_host=192.0.2.2 ansible_port=ssh
rpi-3 ansible_host=rpi-3.lab.example
rpi-4 ansible_host=192.0.2.4 ansible_connection=winrm
rpi-5 ansible_host=192.0.2.5 ansible_user="a b"
rpi-6 ansible_host=192.0.2.6
`;

    const { hosts, left, bad } = readAnsible(text, 'hosts');
    const vault = readAnsible(
      'a:\n  hosts:\n    b:\n      ansible_user: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6231\n',
      'x',
    );

    expect(hosts.map(({ name }) => name)).toEqual(['rpi-6']);
    expect(left).toEqual(['rpi-4: its ansible_connection is not SSH']);
    expect(bad).toEqual([
      expect.stringMatching(/^rpi-1: the user is a template, a vault or no text/),
      'rpi-2: the port is not a number from 1 to 65535; fix it',
      'rpi-3: ansible_host is a host name, but rack.yaml requires an address; replace it',
      expect.stringMatching(/^rpi-5: the user is a template/),
    ]);
    expect(vault).toMatchObject({ hosts: [], bad: [expect.stringMatching(/^b: the user is/)] });
  });

  it('has the hosts of a list from NetBox, with the variables of its inventory plugin', () => {
    // netbox.netbox.nb_inventory, plugins/inventory/nb_inventory.py.
    const ofNetbox = { custom_fields: {}, device_types: ['x'], is_virtual: false, sites: ['lab'] };
    const hostvars = {
      'board-4': { ...ofNetbox, ansible_host: '192.0.2.14', primary_ip4: '192.0.2.14' },
      'sw-1': { ...ofNetbox, ansible_host: '192.0.2.2', ansible_network_os: 'junos' },
    };
    const groups = { all: { children: ['lab'] }, lab: { hosts: Object.keys(hostvars) } };

    const found = readAnsible(JSON.stringify({ _meta: { hostvars }, ...groups }), 'list.json');

    expect(found.hosts).toMatchObject([{ name: 'board-4', address: '192.0.2.14' }]);
    expect(found.left).toEqual([expect.stringContaining('sw-1: it is network equipment')]);
    expect(found.ignored).toEqual(expect.arrayContaining(Object.keys(ofNetbox)));
  });

  it('stops if Ansible also reads variables beside it, but not for what Ansible printed', () => {
    const list =
      '{ "_meta": { "hostvars": { "a": { "ansible_host": "192.0.2.1" } } }, "p": { "hosts": ["a", "b"] } }';

    expect(() => readAnsible('a\n', 'hosts', ['hosts', 'group_vars', 'host_vars'])).toThrow(
      'hosts: Ansible also reads group_vars and host_vars beside it, which skolo does not; run `ansible-inventory -i hosts --list > list.json`, and import list.json',
    );
    expect(readAnsible(list, 'list.json', ['group_vars']).hosts).toEqual([
      { name: 'a', address: '192.0.2.1', groups: ['p'] },
      { name: 'b', groups: ['p'] },
    ]);
  });

  it('that is exported is read by Ansible', async (context) => {
    const program = peer('ansible');
    if (!program) return context.skip('ansible-core is not installed');
    const rack = smallRack(`logins: { pis: { username: pi } }
machines:
  rpi-[1-2]: { kind: rpi, address: 192.168.1.[101-102], login: pis, ports: { ssh: 2222 } }
`);
    const file = join(await tempDir(), 'inventory.yaml');
    await writeFile(file, ansibleInventory(rack));

    const { stdout } = await run(program, ['-i', file, '--list']);

    expect(JSON.parse(stdout)._meta.hostvars).toEqual({
      jumphost: { ansible_host: '192.168.1.8' },
      'rpi-1': { ansible_host: '192.168.1.101', ansible_port: 2222, ansible_user: 'pi' },
      'rpi-2': { ansible_host: '192.168.1.102', ansible_port: 2222, ansible_user: 'pi' },
    });
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
