import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { peer, startDnsmasq } from '@skolo/simulators';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { exampleRack, smallRack } from '../testing/example.ts';
import { dnsmasqConfig } from './dnsmasq.ts';
import { edgeosCommands } from './edgeos.ts';
import { hostsFile, hostsOf } from './hosts.ts';
import { swarmingConfig } from './swarming-config.ts';

const lab = smallRack(`network: { domain: lab }
equipment:
  switch-1: { model: edgeswitch, address: "fd00::11", mac: dc:a6:32:00:00:11 }
  relays:
    model: command-switch
    outlets: 1
    on: [on]
    off: [off]
    read: { command: [state], on: "^on", off: "^off" }
machines:
  rpi-1: { kind: rpi, address: 192.168.1.101, mac: dc:a6:32:00:00:01, device: { kind: chromeos, address: 192.168.1.201 } }
  rpi-2: { kind: rpi }
`);
lab.jumphost.aliases.push('metadata', 'files.example.com');

describe('hostsFile', () => {
  it('has all names of everything with an address', () => {
    expect(hostsFile(lab)).toBe(`# Names in small. Generated from rack.yaml by skolo.
192.168.1.8\tjumphost.lab jumphost metadata.lab metadata files.example.com
fd00::11\tswitch-1.lab switch-1
192.168.1.101\trpi-1.lab rpi-1
192.168.1.201\trpi-1-device.lab rpi-1-device
`);
  });

  it('has each name once', () => {
    const names = hostsFile(exampleRack())
      .split('\n')
      .slice(1)
      .flatMap((line) => line.split(/\s+/).slice(1));

    expect(new Set(names).size).toBe(names.length);
    expect(hostsOf(exampleRack())).toHaveLength(1 + 6 + 46);
  });
});

describe('dnsmasqConfig', () => {
  it('has records, leases where the MAC is known, and no GCE', () => {
    expect(dnsmasqConfig(lab)).toBe(`# Names in small. Generated from rack.yaml by skolo.
local=/lab/
# Must not resolve, otherwise the Swarming bot would assume that it runs on GCE.
local=/metadata.google.internal/
host-record=jumphost.lab,jumphost,metadata.lab,metadata,files.example.com,192.168.1.8
host-record=switch-1.lab,switch-1,fd00::11
host-record=rpi-1.lab,rpi-1,192.168.1.101
host-record=rpi-1-device.lab,rpi-1-device,192.168.1.201
# Addresses by MAC.
dhcp-host=dc:a6:32:00:00:11,[fd00::11],switch-1
dhcp-host=dc:a6:32:00:00:01,192.168.1.101,rpi-1
`);
  });

  describe('with the real dnsmasq', () => {
    const dnsmasq = peer('dnsmasq') ?? '';
    beforeEach((context) => {
      if (!dnsmasq) context.skip('dnsmasq is not installed');
    });

    async function configFile(): Promise<string> {
      const file = join(await tempDir(), 'rack.conf');
      await writeFile(file, dnsmasqConfig(exampleRack()));
      return file;
    }

    it('is valid', async () => {
      const { stderr } = await run(dnsmasq, ['--test', '-C', await configFile()]);

      expect(stderr).toContain('syntax check OK');
    });

    it('resolves every name, and never GCE', async () => {
      const { address, stop } = await startDnsmasq([`--conf-file=${await configFile()}`]);
      onTestFinished(stop);
      const resolver = new Resolver();
      resolver.setServers([address]);

      const names = hostsOf(exampleRack()).flatMap(({ name, aliases }) => [
        name,
        `${name}.lan`,
        ...aliases,
      ]);
      const found = await Promise.all(
        names.map(async (name) => (await resolver.resolve4(name)).length),
      );

      expect(found.every((count) => count === 1)).toBe(true);
      expect(await resolver.resolve4('metadata')).toEqual(['192.168.1.8']);
      await expect(resolver.resolve4('metadata.google.internal')).rejects.toThrow(/ENOTFOUND/);
    });
  });
});

it('edgeosCommands maps names to addresses', () => {
  expect(
    edgeosCommands(lab),
  ).toBe(`set system static-host-mapping host-name jumphost inet 192.168.1.8
set system static-host-mapping host-name jumphost alias jumphost.lab
set system static-host-mapping host-name jumphost alias metadata.lab
set system static-host-mapping host-name jumphost alias metadata
set system static-host-mapping host-name jumphost alias files.example.com
set system static-host-mapping host-name switch-1 inet fd00::11
set system static-host-mapping host-name switch-1 alias switch-1.lab
set system static-host-mapping host-name rpi-1 inet 192.168.1.101
set system static-host-mapping host-name rpi-1 alias rpi-1.lab
set system static-host-mapping host-name rpi-1-device inet 192.168.1.201
set system static-host-mapping host-name rpi-1-device alias rpi-1-device.lab
`);
});

const path = '/computeMetadata/v1/instance/service-accounts/default/token';

it.each([
  ['by the alias', '', 'metadata', `http://metadata${path}`],
  ['by the address, without the alias', '', 'files', `http://192.168.1.8${path}`],
  ['with the port', 'url: "http://192.168.1.8:8080"', 'metadata', `http://metadata:8080${path}`],
  [
    'somewhere else',
    'url: "http://tokens.example.com"',
    'metadata',
    `http://tokens.example.com${path}`,
  ],
])('swarmingConfig finds the metadata server %s', (_, setting, alias, url) => {
  const rack = smallRack(`services: { metadata-server: { ${setting} } }\n`);
  rack.jumphost.aliases.push(alias);

  expect(JSON.parse(swarmingConfig(rack))).toEqual({
    url,
    headers: { 'Metadata-Flavor': 'Google' },
  });
});
