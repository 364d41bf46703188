/** What its tests are made with. */
import { startEos } from '@skolo/simulators';
import { edited, enablePassword } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  backup: {
    start: (options) => startEos({ ...options, enablePassword }),
    ticks: true,
    entry:
      "prompt: '^[\\w-]+(?:\\(.*\\))?[>#]$', pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' }, volatile: ['^! Time:']",
    change: edited,
  },
  testedWith: {
    backups: "skolo's simulators only",
  },
  recorded: ['configuration'],
};
