/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  recorded: {
    no: 'its tests use the real program, ipmitool, and a simulator that its authors wrote',
  },
};
