/** What its tests are made with. */
import { type MpowerOptions, startMpower } from '@skolo/simulators';
import { mark, overSsh } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets as driver } from './mpower.ts';

/** With modern ssh, which is faster; a separate test covers the old one. */
export function withOutlets(outlets: number, more: Partial<MpowerOptions> = {}): CliSetup {
  return {
    kind: driver,
    start: (options) => startMpower({ outlets, legacyOnly: false, ...options, ...more }),
    options: { outlets },
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: withOutlets(6),
      outlet: '3',
      others: ['0', '7', '03', '3 /etc/passwd', '$(reboot)', '*'],
    },
  ],
  start: startMpower,
  answering: [
    {
      over: 'ssh',
      prompt: '#',
      options: { outlets: 3 },
      outlet: '1',
      beside: '2',
      answers: {
        'grep .': [
          `/proc/power/relay1:1
/proc/power/active_pwr1:40.25
/proc/power/relay2:0
/proc/power/active_pwr2:0.0`,
          '/proc/power/relay1:1$',
        ],
      },
      off: 'echo 0 > /proc/power/relay1',
      on: 'echo 1 > /proc/power/relay1',
    },
  ],
  backup: {
    change: overSsh((session) =>
      session.execBytes(`echo snmp.location=${mark} >> /tmp/system.cfg`, {
        signal: AbortSignal.timeout(60_000),
      }),
    ),
    identity: { serial: '24A43CDEF012', hostname: 'mpower-1' },
    inChannels: true,
    incomplete: [
      ['', '"users."'],
      ["cat: can't open '/tmp/system.cfg': No such file or directory\n", '"users."'],
      ['users.status=enabled\nusers.1.name=ub', 'is incomplete'],
    ],
  },
  testedWith: {
    outlets: "skolo's simulators only",
    backups: "skolo's simulators only",
    restores: 'a simulator that keeps the file',
  },
  recorded: { no: 'no public recording' },
};
