import { runs } from '@skolo/durable/fault-injection';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';
import { jumphostServices } from '../schema/service-ports.ts';
import { mountedPath } from '../secrets/keys.ts';
import { secretReferences } from '../secrets/references.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { derivedObjects, objectsOf } from '../testing/derived.ts';
import { exampleRack, smallRack } from '../testing/example.ts';
import { head } from './derived-file.ts';
import { renderDerived } from './render.ts';

const Targets = z.array(
  z.object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()) }),
);
const TargetMap = z.tuple([z.object({ data: z.record(z.string(), z.string()) })]);

function targetsOf(rack: Rack, file: string) {
  return targetsIn(renderDerived(rack).files, file);
}

function targetsIn(files: ReadonlyMap<string, string>, file: string) {
  const [{ data }] = TargetMap.parse(objectsOf(files.get('prometheus-targets.yaml') ?? ''));
  return Targets.parse(JSON.parse(data[file] ?? ''));
}

describe('renderDerived', () => {
  it('begins each file with what made it, and how it is made again', () => {
    const { files } = renderDerived(exampleRack());

    for (const [name, text] of files) {
      const comment = name === 'README.md' ? '<!--\n' : '# ';
      expect(text).toMatch(new RegExp(`^${comment}Made by \`skolo rack render\` from `));
      expect(text).toContain('skolo rack render --rack rack.yaml');
    }
  });

  it('lists each of its files in kustomization.yaml', () => {
    const { files } = renderDerived(exampleRack());

    const [kustomization] = objectsOf(files.get('kustomization.yaml') ?? '');
    const { resources, patches } = z
      .object({ resources: z.array(z.string()), patches: z.array(z.object({ path: z.string() })) })
      .parse(kustomization);

    const listed = [...resources, ...patches.map(({ path }) => path)];
    const own = ['README.md', 'kustomization.yaml'];
    expect([...listed, ...own].sort()).toEqual([...files.keys()].sort());
  });

  it('is the same for the same rack, valid YAML, and complete, whatever the rack', () => {
    fc.assert(
      fc.property(inventory, (plain) => {
        const text = stringify(plain, { version: '1.1' });
        const rack = parseRack(text, { file: '/etc/skolo/rack.yaml' });
        // Nothing about the computer where it is rendered matters.
        const elsewhere = parseRack(text, { file: '/srv/racks/lab/rack.yaml' });

        const { files, warnings } = renderDerived(rack);

        expect(renderDerived(elsewhere)).toEqual({ files, warnings });
        for (const [name, content] of files) {
          if (name.endsWith('.yaml')) expect(objectsOf(content)).not.toContain(null);
        }
        for (const service of jumphostServices) {
          const wanted = secretReferences(rack, service).flatMap(({ ref }) =>
            'file' in ref ? [mountedPath(ref.file)] : [],
          );
          const found = files.get(`secrets-${service}.yaml`) ?? '';
          const paths = [...found.matchAll(/^ +path: (.*)$/gm)].map(([, path]) => path);
          expect(paths.sort()).toEqual(
            wanted.length === 0 ? [] : [...new Set(['rack.yaml', ...wanted])].sort(),
          );
        }
        const pinged = targetsIn(files, 'ping.json').map(({ labels }) => labels.machine);
        const machines = [...rack.machines.values()].filter(({ address }) => address !== undefined);
        expect(pinged.filter((name) => name !== undefined)).toEqual(
          machines.map(({ name }) => name),
        );
      }),
      runs(30),
    );
  });

  it('never has what only a text of rack.yaml could hold by mistake', () => {
    const rack = smallRack(`
services:
  router-backup: { webhook: { url: "https://chat.example.com/hooks/hunter2" } }
  alert-to-pubsub:
    sinks: [{ name: pager, kind: http, url: "https://example.com/hunter2", headers: { key: hunter2 } }]
`);

    const { files, warnings } = renderDerived(rack);

    expect([...files.values()].join('') + JSON.stringify(warnings)).not.toContain('hunter2');
  });
});

describe('host-aliases.yaml', () => {
  it('has the names of the jumphost, short and in full', () => {
    const rack = smallRack('network: { domain: lab }\n');
    rack.jumphost.aliases.push('metadata', 'files.example.com');

    expect(derivedObjects(rack, 'host-aliases.yaml')).toMatchObject([
      {
        spec: {
          template: {
            spec: {
              hostAliases: [
                {
                  ip: '192.168.1.8',
                  hostnames: [
                    'jumphost.lab',
                    'jumphost',
                    'metadata.lab',
                    'metadata',
                    'files.example.com',
                  ],
                },
              ],
            },
          },
        },
      },
    ]);
  });
});

describe('swarming-client.yaml', () => {
  it('has the longest grace and every folder', () => {
    const rack = smallRack(`machines:
  pi-1: { kind: rpi, swarming: { taskGraceSeconds: 10000 } }
  pi-2: { kind: rpi, swarming: { botDir: /a/bot } }
  pi-3: { kind: rpi, swarming: { botDir: /a/bot } }
`);

    const hostPath = (path: string) => ({ path, type: 'DirectoryOrCreate' });
    expect(derivedObjects(rack, 'swarming-client.yaml')).toMatchObject([
      {
        spec: {
          template: {
            spec: {
              terminationGracePeriodSeconds: 10_150,
              containers: [
                {
                  name: 'swarming-client',
                  volumeMounts: [
                    { name: 'bot', mountPath: '/a/bot' },
                    { name: 'bot-2', mountPath: '/b/s' },
                  ],
                },
              ],
              volumes: [
                { name: 'bot', hostPath: hostPath('/a/bot') },
                { name: 'bot-2', hostPath: hostPath('/b/s') },
              ],
            },
          },
        },
      },
    ]);
  });
});

describe('stop-SERVICE.yaml', () => {
  it('is there where stopping may take longer than kube/base gives it', () => {
    const rack = smallRack(`services:
  router-backup: { stopWithin: 90.5 }
  metadata-server: { stopWithin: 5 }
`);

    const seconds = { spec: { template: { spec: { terminationGracePeriodSeconds: 111 } } } };
    expect(derivedObjects(rack, 'stop-router-backup.yaml')).toMatchObject([seconds]);
    expect(derivedObjects(rack, 'stop-metadata-server.yaml')).toBeUndefined();
  });
});

describe('ports-SERVICE.yaml', () => {
  const rack = smallRack(`services:
  power-cycle-daemon:
    endpoints: { pdudaemon: { allow: [192.168.1.0/24] }, report: { port: 9999, allow: [192.168.1.5] } }
  router-backup: { notices: { syslogPort: 514, trapPort: 1162 } }
  machine-state: { enrolment: {} }
`);

  it('has the ports that are turned on', () => {
    expect(derivedObjects(rack, 'ports-power-cycle-daemon.yaml')).toMatchObject([
      {
        kind: 'Service',
        spec: {
          ports: [
            { name: 'pdudaemon', port: 16_421, targetPort: 16_421, protocol: 'TCP' },
            { name: 'report', port: 9999, targetPort: 9999, protocol: 'TCP' },
          ],
        },
      },
    ]);
    expect(derivedObjects(rack, 'ports-router-backup.yaml')).toMatchObject([
      {
        spec: {
          ports: [
            { name: 'syslog', port: 514, targetPort: 514, protocol: 'UDP' },
            { name: 'snmp-trap', port: 1162, targetPort: 1162, protocol: 'UDP' },
          ],
        },
      },
    ]);
    const enrolment = { name: 'enrolment', port: 8005, targetPort: 8005, protocol: 'TCP' };
    expect(derivedObjects(rack, 'ports-machine-state.yaml')).toMatchObject([
      { spec: { ports: [enrolment] } },
    ]);
  });

  it('lets machine-state remove the Raspberry Pis of rack.yaml from the cluster, and nothing else', () => {
    const name = 'enrolment-machines.yaml';
    const machines = 'machines: { "rpi-[1-2]": { kind: rpi }, pc-1: { kind: host } }\n';
    const enrolling = smallRack(`${machines}services: { machine-state: { enrolment: {} } }\n`);

    const expression = '["rpi-1","rpi-2"]';
    expect(derivedObjects(enrolling, name)).toMatchObject([
      { spec: { variables: [{ name: 'machines', expression }] } },
    ]);
    expect(derivedObjects(smallRack(machines), name)).toBeUndefined();
  });

  it('comes with the right to listen below 1024', () => {
    const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];

    expect(derivedObjects(rack, 'low-ports-router-backup.yaml')).toMatchObject([
      { spec: { template: { spec: { securityContext: { sysctls } } } } },
    ]);
    expect(derivedObjects(rack, 'low-ports-power-cycle-daemon.yaml')).toBeUndefined();
  });

  it('is not there where nothing is turned on', () => {
    const { files } = renderDerived(smallRack());

    expect([...files.keys()].filter((name) => name.includes('ports'))).toEqual([]);
  });
});

describe('prometheus-targets.yaml', () => {
  const rack = smallRack(`infrastructure:
  switch-1: { model: edgeswitch, address: "fd00::11" }
  switch-2: { model: edgeswitch, address: 192.168.1.12, ports: { ssh: 2222 } }
  relays: { model: command-switch, outlets: 1, on: [on], off: [off], read: { command: [x], on: "^on", off: "^off" } }
machines:
  pi-1: { kind: rpi, address: 192.168.1.101 }
  pi-2: { kind: rpi, address: "fd00::102", swarming: { metricsUrl: "https://proxy.lan/agents/pi-2" } }
  pi-3: { kind: host, address: 192.168.1.9, port: 8022 }
  pi-4: { kind: rpi }
`);

  it('has the agents, wherever rack.yaml says that their metrics are', () => {
    expect(targetsOf(rack, 'swarming-client.json')).toEqual([
      { targets: ['192.168.1.101:20014'], labels: { machine: 'pi-1' } },
      {
        targets: ['proxy.lan:443'],
        labels: {
          machine: 'pi-2',
          __scheme__: 'https',
          __metrics_path__: '/agents/pi-2/metrics',
        },
      },
      { targets: ['192.168.1.9:20014'], labels: { machine: 'pi-3' } },
    ]);
  });

  it('has the node-exporters of machines, and that of the jumphost apart', () => {
    expect(targetsOf(rack, 'node-of-jumphost.json')).toEqual([
      { targets: ['192.168.1.8:9100'], labels: { machine: 'jumphost' } },
    ]);
    expect(targetsOf(rack, 'node.json')).toEqual([
      { targets: ['192.168.1.101:9100'], labels: { machine: 'pi-1' } },
      { targets: ['[fd00::102]:9100'], labels: { machine: 'pi-2' } },
      { targets: ['192.168.1.9:9100'], labels: { machine: 'pi-3' } },
    ]);
  });

  it('pings machines and equipment, or asks at the ssh port that rack.yaml gives', () => {
    expect(targetsOf(rack, 'ping.json')).toEqual([
      { targets: ['192.168.1.101'], labels: { machine: 'pi-1' } },
      { targets: ['fd00::102'], labels: { machine: 'pi-2' } },
      {
        targets: ['192.168.1.9:8022'],
        labels: { machine: 'pi-3', __param_module: 'tcp_connect' },
      },
      { targets: ['fd00::11'], labels: { device: 'switch-1' } },
      {
        targets: ['192.168.1.12:2222'],
        labels: { device: 'switch-2', __param_module: 'tcp_connect' },
      },
    ]);
  });
});

describe('kustomization.yaml', () => {
  it('makes the facts of the rack, for both namespaces', () => {
    const literals = [
      'SKOLO_RACK_NAME=small',
      'SKOLO_RACK_SUBNET=',
      'SKOLO_RACK_DOMAIN=lan',
      'SKOLO_JUMPHOST_NAME=jumphost',
      'SKOLO_JUMPHOST_ADDRESS=192.168.1.8',
    ];

    expect(derivedObjects(smallRack(), 'kustomization.yaml')).toMatchObject([
      {
        kind: 'Component',
        configMapGenerator: [
          { name: 'rack-facts', namespace: 'skolo', literals },
          { name: 'rack-facts', namespace: 'skolo-node', literals },
        ],
      },
    ]);
  });
});

describe('network-policies.yaml', () => {
  const Policies = z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.literal('skolo') }),
      spec: z.record(z.string(), z.unknown()),
    }),
  );

  function policiesOf(rack: Rack): Record<string, Record<string, unknown>> {
    const policies = Policies.parse(derivedObjects(rack, 'network-policies.yaml'));
    return Object.fromEntries(policies.map(({ metadata, spec }) => [metadata.name, spec]));
  }

  const blocks = (...networks: string[]) => networks.map((cidr) => ({ ipBlock: { cidr } }));

  it('lets in who rack.yaml knows, at the ports that are open', () => {
    const policies = policiesOf(
      smallRack(`network: { subnet: 192.168.1.0/24 }
access: { anonymousRead: [192.168.1.8, 10.9.0.0/16] }
infrastructure: { switch-1: { model: edgeswitch, address: 192.168.1.11 } }
services:
  power-cycle-daemon: { endpoints: { report: { allow: [192.168.7.0/24] } } }
  router-backup: { notices: { syslogPort: 5514 } }
`),
    );

    expect(policies['power-cycle-daemon-from-rack']).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: blocks('192.168.1.0/24', '10.9.0.0/16'),
          ports: [{ port: 9210, protocol: 'TCP' }],
        },
        { from: blocks('192.168.7.0/24'), ports: [{ port: 9211, protocol: 'TCP' }] },
      ],
    });
    expect(policies['router-backup-from-rack']).toMatchObject({
      ingress: [
        {
          from: blocks('192.168.1.8/32', '10.9.0.0/16'),
          ports: [{ port: 8003, protocol: 'TCP' }],
        },
        { from: blocks('192.168.1.11/32'), ports: [{ port: 5514, protocol: 'UDP' }] },
      ],
    });
    expect(policies['alert-to-pubsub-from-rack']).toMatchObject({
      ingress: [{ from: blocks('192.168.1.8/32'), ports: [{ port: 8001, protocol: 'TCP' }] }],
    });
    expect(policies['to-rack']).toMatchObject({
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '192.168.1.0/24', except: ['192.168.1.8/32'] } }] }],
    });
    expect(policies['to-metadata-server']).toMatchObject({
      podSelector: { matchLabels: { 'skolo/metadata-server': 'allowed' } },
      egress: [{ to: blocks('192.168.1.8/32'), ports: [{ port: 80, protocol: 'TCP' }] }],
    });
  });

  it('has each address, where rack.yaml has no subnet', () => {
    const policies = policiesOf(
      smallRack(`infrastructure: { switch-1: { model: edgeswitch, address: "fd00::11" } }
machines: { pi-1: { kind: rpi, address: 192.168.1.101 } }
`),
    );

    expect(policies['to-rack']).toMatchObject({
      egress: [{ to: blocks('fd00::11/128', '192.168.1.101/32') }],
    });
    // An empty list of peers would be everybody.
    expect(policiesOf(smallRack())['to-rack']).toMatchObject({ egress: [] });
  });

  it('lets nobody in from the network of pods, where ServiceLB makes anybody come from', () => {
    const policies = policiesOf(
      smallRack(`network: { subnet: 192.168.1.0/24 }
access: { anonymousRead: [10.42.0.0/24, 10.0.0.0/8] }
services: { power-cycle-daemon: { endpoints: { report: { allow: [10.42.0.7] } } } }
`),
    );

    const ports = [{ port: 9210, protocol: 'TCP' }];
    const outside = { ipBlock: { cidr: '10.0.0.0/8', except: ['10.42.0.0/16'] } };
    expect(policies['power-cycle-daemon-from-rack']?.ingress).toEqual([
      { from: [...blocks('192.168.1.0/24'), outside], ports },
    ]);
  });

  it('opens no port to everybody where there is nobody to open it to', () => {
    const rack = smallRack('services: { router-backup: { notices: { trapPort: 1162 } } }\n');

    expect(JSON.stringify(policiesOf(rack))).not.toContain('1162');
  });
});

describe('head', () => {
  it('is a comment, line by line', () => {
    expect(head({ name: 'rack4' }, 'One.\nTwo.')).toBe(
      '# Made by `skolo rack render` from the rack.yaml of rack4. Do not edit.\n' +
        '# To update it, in the folder of rack.yaml: skolo rack render --rack rack.yaml\n' +
        '# One.\n# Two.\n',
    );
  });
});
