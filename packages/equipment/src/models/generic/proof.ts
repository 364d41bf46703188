/** What its tests are made with. */
import { startEos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  backup: {
    start: startEos,
    ticks: true,
    entry:
      "prompt: '^[\\w-]+(?:\\(.*\\))?[>#]$', pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' }, volatile: ['^! Time:'], secret: ['^snmp-server host .* (\\S+)$', '^snmp-server user .* auth \\S+ (\\S+) priv \\S+ (\\S+)', '^ +key \\S+ 7 (\\S+)', 'authentication text (\\S+)']",
    change: edited,
    identity: {},
    masks: { secret: /s3cret/gi, least: 21, kept: [] },
    outcomes: { 'odd-logs-behind-prompt': 'whole' },
  },
  testedWith: {
    backups: "skolo's simulators only",
  },
  recorded: ['configuration'],
};
