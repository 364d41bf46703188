/** What its tests are made with. */
import { startEdgeSwitch } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startEdgeSwitch,
  reported: { hardware: 'EdgeSwitch 24-Port 250W', firmware: '1.9.3' },
  hosts: { ports: ['1', '12', '26', '2'], knows: [], options: { portCount: 24 } },
  recorded: ['hardware and firmware'],
};
