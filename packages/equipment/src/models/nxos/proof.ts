/** What its tests are made with. */
import { startNxos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';
import { nxos } from './nxos.ts';

export const proof: ModelProof = {
  start: startNxos,
  reported: { firmware: '9.3(8)' },
  hosts: { ports: ['Eth1/1', 'Eth1/12', 'Eth1/48', 'Eth1/2'], knows: ['arp'] },
  backup: {
    tellsUnsaved: true,
    ticks: true,
    change: edited,
    identity: { serial: 'FDO21120ABC', hostname: 'nexus-1' },
    incomplete: [
      ['', 'start'],
      ['% Permission denied for the role\n', 'start'],
      ['line vty\n  session-limit 16\n', 'start'],
    ],
    masks: {
      secret: /s3cret|5ec2e7/gi,
      least: 16,
      kept: [
        'key chain ospf-keys',
        'no password strength-check',
        'skolo sshkey ssh-ed25519 AAAAC3',
      ],
    },
  },
  replays: {
    dialect: nxos,
    configuration:
      'hostname nexus-1\nvlan 10\n  name phones\ninterface Ethernet1/1\n  description uplink\nline vty\n  session-limit 16\n',
    begin: 'configure terminal',
  },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'links', 'ARP tables', 'configuration'],
};
