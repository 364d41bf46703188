import { describe, expect, it } from 'vitest';
import { ciscoIos } from './cisco-ios.ts';
import type { Dialect } from './dialect.ts';
import { fastpath } from './fastpath.ts';
import { linuxShell } from './linux-shell.ts';
import { routeros } from './routeros.ts';

const longHost = 'a-switch-with-quite-a-long-name-1';

/** First the prompt that is learned, then those of the same device in other modes. */
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
  [
    routeros,
    '[admin@MikroTik] >',
    ['[admin@MikroTik] /interface ethernet>', '[admin@MikroTik] <SAFE>>'],
  ],
  [routeros, '[skolo@rack 4 router] >', []],
];

/** What is no prompt of that device. */
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
  [routeros, '[admin@MikroTik] >', ['[admin@Other] >']],
];

const whole = (dialect: Dialect, learned: string) => {
  const base = dialect.prompt.exec(learned)?.groups?.base ?? '';
  return new RegExp(`^(?:${dialect.prompts(base)})$`);
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
    [routeros, 'Change your password>'],
  ])('are not what else a device says: %#', (dialect, line) => {
    expect(dialect.prompt.test(line)).toBe(false);
  });
});

describe('questions at login', () => {
  it.each(['User:', 'Username:', 'User Name :', 'login:', 'switch-1 login:', 'User ID:'])(
    'for a name: %s',
    (line) => {
      expect(fastpath.login.username.test(line)).toBe(true);
      expect(fastpath.login.password.test(line)).toBe(false);
    },
  );

  it.each(['Password:', 'password:', 'Password :', "ubnt's password:", 'Password for ubnt:'])(
    'for a password: %s',
    (line) => {
      expect(fastpath.login.password.test(line)).toBe(true);
      expect(fastpath.login.username.test(line)).toBe(false);
    },
  );

  it.each(['Last login: Mon Nov 20', 'User: ubnt', 'Enter your login: and password'])(
    'are none: %s',
    (line) => {
      expect(fastpath.login.username.test(line)).toBe(false);
      expect(fastpath.login.password.test(line)).toBe(false);
    },
  );
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
  ])('are not seen in others: %#', (dialect, line) => {
    expect(dialect.errors.some((pattern) => pattern.test(line))).toBe(false);
  });
});

describe('log messages', () => {
  it.each([
    '*Mar  1 00:05:33.123: %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to up',
    '000042: Nov 20 10:00:00.000 UTC: %SYS-5-CONFIG_I: Configured from console',
    '%ILPOWER-5-POWER_GRANTED: Interface Gi1/0/1: Power granted',
    '19-Nov-2026 10:00:00 %LINK-W-Down:  gi3',
  ])('of Cisco are recognised: %s', (line) => {
    expect(ciscoIos.noise.some((pattern) => pattern.test(line))).toBe(true);
  });

  it.each([
    ' description see %LINK-3-UPDOWN: for more',
    'Gi1/0/1   auto   on   15.4   Ieee PD   3   30.0',
    '% Invalid input detected',
  ])('of Cisco are not seen in: %s', (line) => {
    expect(ciscoIos.noise.some((pattern) => pattern.test(line))).toBe(false);
  });
});
