/** What its tests are made with. */
import { startProcurve } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startProcurve,
  reported: { hardware: 'J9773A', firmware: 'YA.16.11.0005' },
  hosts: { ports: ['1', 'A12', 'B24', '2'], knows: [] },
  backup: { tellsUnsaved: true, change: edited },
  testedWith: {
    backups: 'a simulator that RANCID and netmiko verified',
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'links'],
};
