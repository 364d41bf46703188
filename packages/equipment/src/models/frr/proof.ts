/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  reported: {
    text: 'Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n',
    firmware: '8.4.4',
  },
  recorded: { no: 'its tests use the real program, FRR' },
};
