/** What its tests are made with. */
import { startEos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';
import { eos } from './eos.ts';

export const proof: ModelProof = {
  start: startEos,
  reported: { hardware: 'DCS-7050SX3-48YC8-R', firmware: '4.29.2F' },
  hosts: { ports: ['Et1', 'Et12', 'Et48', 'Et2'], knows: ['arp'] },
  backup: {
    tellsUnsaved: true,
    ticks: true,
    change: edited,
    identity: { serial: 'SSJ17190123', hostname: 'arista-1' },
    incomplete: [
      ['', 'start'],
      ["% Authorization denied for command 'show running-config'\n", 'start'],
      ['! Command: show running-config\n! device: x (y)\n!\nvlan 1\n', 'vlan 1'],
      ['! Command: show running-config\nend\n', 'device'],
    ],
    masks: {
      secret: /s3cret/gi,
      least: 21,
      kept: [
        '   name hosts # not phones',
        'skolo ssh-key ssh-ed25519 AAAAC3',
        'mac security profile uplinks',
      ],
    },
  },
  replays: {
    dialect: eos,
    configuration:
      'hostname arista-1\n!\nvlan 10\n   name phones\n!\ninterface Ethernet1\n   description uplink\n!\n',
    begin: 'configure session skolo-restore',
    before: ['enable'],
  },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['links', 'ARP tables', 'configuration'],
};
