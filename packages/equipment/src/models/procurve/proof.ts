/** What its tests are made with. */
import { startProcurve } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';
import { procurve } from './procurve.ts';

export const proof: ModelProof = {
  start: startProcurve,
  reported: { hardware: 'J9773A', firmware: 'YA.16.11.0005' },
  hosts: { ports: ['1', 'A12', 'B24', '2'], knows: [] },
  backup: {
    tellsUnsaved: true,
    change: edited,
    identity: { serial: 'CN69FP30AB', hostname: 'procurve-1' },
    incomplete: [
      ['', 'Configuration Editor'],
      ['Not authorized to run this command.\n', 'Configuration Editor'],
      ['; J9773A Configuration Editor; Created on release #YA.16.11.0005\n', 'hostname'],
    ],
    masks: {
      secret: /s3cret|5ec2e7/gi,
      least: 15,
      kept: [
        'password manager user-name "admin" sha1 "<secret ',
        'aaa authentication ssh login public-key',
        'snmp-server contact "ann@example.com" location "rack 4"',
      ],
    },
  },
  replays: {
    dialect: procurve,
    configuration:
      'hostname "procurve-1"\ninterface 1\n   name "uplink"\n   exit\nsnmp-server contact "ann@example.com"\n',
    begin: 'configure',
  },
  testedWith: {
    backups: 'a simulator that RANCID and netmiko verified',
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'links'],
};
