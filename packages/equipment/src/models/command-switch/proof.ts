/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  recorded: { no: 'rack.yaml describes the equipment' },
};
