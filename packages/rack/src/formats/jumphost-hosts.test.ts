import { expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';
import { jumphostHosts } from './jumphost-hosts.ts';

it('lists every name and address that clients of the services use', () => {
  const rack = parseRack(
    `rack: rack4
network: { domain: lab.example }
jumphost: { name: jump4, address: 192.168.1.8, aliases: [metadata, jump4.example.com], hosts: [203.0.113.7, rack4.example.com] }
services:
  power-cycle-daemon: { url: "https://power.example.com:9210", metricsUrl: "http://[fd00::8]:20012" }
`,
    { file: '/etc/skolo/rack.yaml' },
  );

  expect(jumphostHosts(rack)).toEqual(
    expect.arrayContaining([
      '192.168.1.8',
      'jump4',
      'jump4.lab.example',
      'metadata',
      'metadata.lab.example',
      'jump4.example.com',
      '203.0.113.7',
      'rack4.example.com',
      'power.example.com',
      'fd00::8',
      'alert-to-pubsub.skolo.svc',
    ]),
  );
});
