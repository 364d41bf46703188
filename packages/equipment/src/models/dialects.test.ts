import type { Dialect } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { isLikePrompt, promptPatterns } from '../transports/cli/prompt.ts';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { eos } from './eos/eos.ts';
import { fastpath } from './families/fastpath/fastpath.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { vyatta } from './families/vyatta/dialect.ts';
import { genericDialect } from './generic/generic.ts';
import { junos } from './junos/junos.ts';
import { nxos } from './nxos/nxos.ts';
import { procurve } from './procurve/procurve.ts';
import { routeros } from './routeros/dialect.ts';

const generic = genericDialect({
  prompt: String.raw`^[\w-]+(?:\(.*\))?[>#]$`,
  pagingOff: [],
  answers: [],
  rejected: ['^nope'],
  logout: 'exit',
});

const longHost = 'a-switch-with-quite-a-long-name-1';

/** First the learned prompt, then those of the same device in other modes. */
const prompts: [Dialect, string, string[]][] = [
  [
    fastpath,
    '(UBNT EdgeSwitch) >',
    [
      '(UBNT EdgeSwitch) #',
      '(UBNT EdgeSwitch) (Config)#',
      '(UBNT EdgeSwitch) (Interface 0/5)#',
      '(UBNT EdgeSwitch) (Interface 1/0/1-1/0/4)#',
      '(UBNT EdgeSwitch) (Vlan)#',
    ],
  ],
  [fastpath, '(rack (4) #2) >', ['(rack (4) #2) #', '(rack (4) #2) (Config)#']],
  [fastpath, '(UBNT) #', ['(UBNT) >', '(UBNT) (Config)#']],
  [
    ciscoIos,
    'switch>',
    ['switch#', 'switch(config)#', 'switch(config-if)#', 'switch(config-if-range)#'],
  ],
  [
    ciscoIos,
    `${longHost}#`,
    [`${longHost.slice(0, 20)}(config)#`, `${longHost.slice(0, 20)}(config-if)#`],
  ],
  [ciscoIos, 'sg300-10.lab#', ['sg300-10.lab(config-if)#']],
  [linuxShell, 'US-24-250W-US.6.2.5#', []],
  [linuxShell, 'ubnt@EdgeRouter:~$', []],
  [linuxShell, 'MF.v2.1.8#', []],
  [linuxShell, '#', []],
  [nxos, 'n9k-9316-test#', ['n9k-9316-test(config)#', 'n9k-9316-test(config-tacacs+)#']],
  [nxos, 'rdc1_sw_rack42.spine-1-0#', ['rdc1_sw_rack42.spine-1-0(config-if)#']],
  [nxos, `${longHost}>`, [`${longHost}#`, `${longHost}(config-router-neighbor)#`]],
  [eos, 'abc-abc-1f1>', ['abc-abc-1f1#', 'abc-abc-1f1(config-if-Et1/1)#', 'abc-abc-1f1(s1)#']],
  [eos, 'leaf1.13:57:29#', ['leaf1.9:00:00>', 'leaf1.23:59:59(config-if-Et1/1)#']],
  [eos, 'leaf1 [13:57:29]>', ['leaf1 [14:00:00]#', 'leaf1(config) [14:00:00]#']],
  [eos, '13:57 leaf1#', ['14:01 leaf1(config)#']],
  [ciscoIos, 'sw1 1:57 PM#', ['sw1 12:00 AM>', 'sw1(config) 9:00 PM#']],
  [fastpath, '(UBNT) 13:57:29 #', ['(UBNT) 14:00:00 >', '(UBNT) (Config) 14:00:00 #']],
  [procurve, 'HP-2620-24 13:57#', ['HP-2620-24 14:02>']],
  [generic, 'core-1_13:57:29>', ['core-1_13:58:00#']],
  [eos, 'abc(s1)#', ['abc#', 'abc(s1)(config)#', 'abc(config-s-restore-vlan-10)#']],
  [procurve, 'HP-2620-24>', ['HP-2620-24#', 'HP-2620-24(config)#', 'HP-2620-24(vlan-10)#']],
  [procurve, 'ProCurve Switch 2810-24G#', ['ProCurve Switch 2810-24G(eth-A1)#']],
  [generic, 'box-1>', ['box-1#', 'box-1(config)#', 'box-1 (vlan 10)#']],
];

/** Lines that are not prompts of that device. */
const others: [Dialect, string, string[]][] = [
  [
    fastpath,
    '(UBNT EdgeSwitch) >',
    [
      '(Other) #',
      'UBNT EdgeSwitch #',
      '(UBNT EdgeSwitch) # logout',
      '(UBNT EdgeSwitch)',
      'x (UBNT EdgeSwitch) #',
    ],
  ],
  [ciscoIos, 'switch>', ['switch2#', 'my-switch#', 'switch', 'switch # text', '!switch#']],
  [linuxShell, 'root@host:~#', ['root@other:~#', 'xroot@host:~#']],
  [nxos, 'n9k#', ['n9k-2#', 'my-n9k#', 'n9k # text', '! n9k#']],
  [eos, 'abc>', ['abcd>', 'x abc#', 'abc(s1)(config)(more)#']],
  [procurve, 'HP-2620-24>', ['HP-2620-240>', '; HP-2620-24#', 'name "HP-2620-24#"']],
  [generic, 'box-1>', ['box-12>', 'xbox-1#', 'box-1']],
];

const whole = (dialect: Dialect, learned: string) => {
  expect(isLikePrompt(learned, dialect)).toBe(true);
  return promptPatterns(dialect, learned).alone;
};

describe('prompts', () => {
  it.each(
    prompts.map(([dialect, learned, more]) => [dialect.name, learned, dialect, more] as const),
  )('of %s, learned from %j, are recognised in all modes', (_name, learned, dialect, more) => {
    const pattern = whole(dialect, learned);

    expect([learned, ...more].filter((line) => !pattern.test(line))).toEqual([]);
  });

  it.each(others.map(([dialect, learned, not]) => [dialect.name, learned, dialect, not] as const))(
    'of %s, learned from %j, are not found elsewhere',
    (_name, learned, dialect, not) => {
      const pattern = whole(dialect, learned);

      expect(not.filter((line) => pattern.test(line))).toEqual([]);
    },
  );

  it.each([
    [fastpath, '--More-- or (q)uit'],
    [fastpath, 'User:'],
    [fastpath, 'Welcome to (UBNT)'],
    [ciscoIos, 'User Access Verification'],
    [ciscoIos, 'Username:'],
    [ciscoIos, '*** keep out #'],
  ])('are not what else a device says: %#', (dialect, line) => {
    expect(dialect.prompt.test(line)).toBe(false);
  });
});

describe('lines that say no', () => {
  it.each([
    [fastpath, "% Invalid input detected at '^' marker."],
    [fastpath, '% Ambiguous command'],
    [fastpath, 'Command not found / Incomplete command. Use ? to list commands.'],
    [fastpath, 'An invalid interface has been used for this function.'],
    [fastpath, 'Error! Could not set the mode.'],
    [ciscoIos, "% Invalid input detected at '^' marker."],
    [ciscoIos, '% Incomplete command.'],
    [ciscoIos, '% Authorization failed.'],
    [ciscoIos, 'Command authorization failed.'],
    [ciscoIos, '%Error opening tftp://'],
    [linuxShell, '-sh: swctrl: not found'],
    [linuxShell, 'bash: line 1: nonsense: command not found'],
    [routeros, 'bad command name poe (line 1 column 21)'],
    [routeros, 'no such item'],
    [routeros, 'failure: device does not support PoE'],
    [nxos, "% Invalid command at '^' marker."],
    [nxos, "Invalid range at '^' marker."],
    [nxos, '% Permission denied for the role'],
    [eos, '% Invalid input (privileged mode required)'],
    [eos, '%% Please use copy <url> running-config'],
    [eos, "% Authorization denied for command 'show running-config'"],
    [junos, 'syntax error, expecting <command>.'],
    [junos, 'unknown command.'],
    [junos, 'configure exclusive error: configuration database modified'],
    [junos, 'load complete (1 errors)'],
    [procurve, 'Invalid input: running'],
    [procurve, 'Not authorized to run this command.'],
    [generic, '% Unknown command: x'],
    [generic, 'bad command name x (line 1 column 1)'],
    [generic, 'nope'],
  ])('are seen: %#', (dialect, line) => {
    expect(dialect.errors.some((pattern) => pattern.test(line))).toBe(true);
  });

  it.each([
    [fastpath, '0/1       Open Circuit   Unknown        0.00'],
    [fastpath, '!System Description "EdgeSwitch"'],
    [ciscoIos, '%LINK-3-UPDOWN: Interface Gi1/0/1, changed state to up'],
    [ciscoIos, '% Warning: portfast should only be enabled on ports connected to a single host'],
    [ciscoIos, 'Gi1/0/1   auto   on   15.4   Ieee PD   3   30.0'],
    [linuxShell, '1'],
    [routeros, 'poe-out-status: powered-on'],
    [nxos, '%ETHPORT-5-IF_UP: Interface Ethernet1/1 is up'],
    [eos, '% Writing 0 Arp, 0 Route, 1 Mac events to the database'],
    [junos, 'load complete'],
    [junos, 'error-correction 3;'],
    [procurve, 'Running configuration:'],
  ])('are not seen in others: %#', (dialect, line) => {
    expect(dialect.errors.some((pattern) => pattern.test(line))).toBe(false);
  });
});

describe('lines above a prompt', () => {
  it.each([
    [junos, '{master:0}'],
    [junos, '{primary:node0}[edit interfaces]'],
    [junos, '[edit]'],
    [vyatta, '[edit]'],
  ])('are recognised: %#', (dialect, line) => {
    expect(dialect.abovePrompt?.some((pattern) => pattern.test(line))).toBe(true);
  });
});

describe('log messages', () => {
  it.each([
    [ciscoIos, '*Mar  1 00:05:33.123: %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to up'],
    [ciscoIos, '000042: Nov 20 10:00:00.000 UTC: %SYS-5-CONFIG_I: Configured from console'],
    [ciscoIos, '%ILPOWER-5-POWER_GRANTED: Interface Gi1/0/1: Power granted'],
    [ciscoIos, '19-Nov-2026 10:00:00 %LINK-W-Down:  gi3'],
    [nxos, '2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up in mode x'],
    [nxos, '2026 Nov 20 10:37:49.123 n7k %$ VDC-1 %$ %PLATFORM-2-PS_OK: Power supply 1 ok'],
    [eos, 'Nov 20 10:37:49 arista-1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Ethernet1'],
    [eos, 'Nov  2 10:37:49 arista-1 ConfigAgent[123]: %SYS-5-CONFIG_E: Enter configuration mode'],
    [junos, 'Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: ifIndex 501, ifName ge-0/0/0'],
    [procurve, 'I 11/20/26 10:37:49 00076 ports: port 1 is now on-line'],
    [generic, '2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up'],
  ])('are recognised: %#', (dialect, line) => {
    expect(dialect.noise.some((pattern) => pattern.test(line))).toBe(true);
  });

  it.each([
    [ciscoIos, ' description see %LINK-3-UPDOWN: for more'],
    [ciscoIos, 'Gi1/0/1   auto   on   15.4   Ieee PD   3   30.0'],
    [ciscoIos, '% Invalid input detected'],
    [nxos, 'rmon event 1 log description FATAL(1) owner PMON@FATAL'],
    [eos, 'logging format timestamp high-resolution'],
    [junos, 'message "Nov 20 10:37:49";'],
    [junos, 'system {'],
    [procurve, 'time daylight-time-rule western-europe'],
  ])('are not seen in: %#', (dialect, line) => {
    expect(dialect.noise.some((pattern) => pattern.test(line))).toBe(false);
  });
});
