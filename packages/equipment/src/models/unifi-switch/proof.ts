/** What its tests are made with. */
import { startUnifiSwitch } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startUnifiSwitch,
  hosts: { ports: ['1', '12', '16', '2'], knows: ['address'], options: { portCount: 16 } },
  recorded: { no: 'no public recording' },
};
