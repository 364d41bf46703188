import { Secret } from '@skolo/base/secrets';
import { type Dialect, openCli } from '@skolo/equipment/transports';
import { deps, newHostKey, soon, target } from '@skolo/equipment/transports/testing';
import {
  type CliDevice,
  type CliOptions,
  type DeviceFault,
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startEos,
  startJunos,
  startNxos,
  startOpenwrt,
  startProcurve,
  startRouteros,
  startUnifiSwitch,
} from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { eos } from './eos/eos.ts';
import { fastpath } from './families/fastpath/fastpath.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { genericDialect } from './generic/generic.ts';
import { nxos } from './nxos/nxos.ts';
import { procurve } from './procurve/procurve.ts';
import { setFault } from './testing/simulated-device.ts';
import { fastpathBehindShell } from './unifi-switch/unifi-switch.ts';

interface Family {
  name: string;
  dialect: Dialect;
  start(options: CliOptions): Promise<CliDevice>;
  transport?: 'telnet';
  /** A command with more than a page of output, and how many of its lines match. */
  command: string;
  row: RegExp;
  rows: number;
  /** A rejected command. */
  nonsense?: string;
}

const fastpathRows = {
  command: 'show poe status all',
  row: /^0\/\d+ +Good /gm,
  nonsense: 'show x',
};
const ciscoRows = {
  command: 'show power inline',
  row: /^Gi1\/0\/\d+ +auto /gm,
  nonsense: 'show x',
};

const interfaceRows = {
  command: 'show running-config',
  row: /^interface Ethernet\d/gm,
  rows: 3,
  nonsense: 'show x',
};
const procurveRows = { ...interfaceRows, row: /^interface \d/gm };

const families: Family[] = [
  {
    name: 'EdgeSwitch',
    dialect: fastpath,
    start: (options) =>
      startEdgeSwitch({ ports: 48, enablePassword: 'second', name: 'rack (4) #2', ...options }),
    ...fastpathRows,
    rows: 48,
  },
  {
    name: 'UniFi switch through its shell',
    dialect: fastpathBehindShell,
    start: (options) => startUnifiSwitch({ ports: 48, fastpath: true, ...options }),
    ...fastpathRows,
    rows: 48,
  },
  {
    name: 'UniFi switch through its shell, over telnet',
    dialect: fastpathBehindShell,
    start: (options) => startUnifiSwitch({ ports: 48, fastpath: true, telnetPort: 0, ...options }),
    transport: 'telnet',
    ...fastpathRows,
    rows: 48,
  },
  {
    name: 'Cisco switch',
    dialect: ciscoIos,
    start: (options) =>
      startCiscoIos({ ports: 48, enablePassword: 'second', logging: 'after-prompt', ...options }),
    ...ciscoRows,
    rows: 48,
  },
  {
    name: 'Cisco switch that shows load and time, and log messages in the line of its prompt',
    dialect: ciscoIos,
    start: (options) =>
      startCiscoIos({
        ports: 48,
        enablePassword: 'second',
        logging: 'behind-prompt',
        promptTimestamp: true,
        ...options,
      }),
    ...ciscoRows,
    rows: 48,
  },
  {
    name: 'Cisco switch with a narrow terminal, over telnet',
    dialect: ciscoIos,
    start: (options) =>
      startCiscoIos({
        ports: 48,
        privilege: 15,
        hostName: 'the-third-switch-of-rack-four',
        width: 40,
        overflow: 'scroll',
        telnetPort: 0,
        ...options,
      }),
    transport: 'telnet',
    ...ciscoRows,
    rows: 48,
  },
  {
    name: 'MikroTik that nobody knows',
    dialect: genericDialect({
      prompt: String.raw`^\[.+@.+\] (?:/.*)?>$`,
      pagingOff: [],
      answers: [],
      rejected: [],
      logout: '/quit',
    }),
    start: (options) => startRouteros({ ports: 48, identity: 'rack 4 router', ...options }),
    command: '/interface ethernet poe print',
    row: /^\d+ +ether\d+ +auto-on /gm,
    rows: 48,
    nonsense: '/tool nonsense',
  },
  {
    name: 'EdgeRouter',
    dialect: linuxShell,
    start: (options) => startEdgeos(options),
    command: '/opt/vyatta/bin/vyatta-op-cmd-wrapper show interfaces ethernet poe',
    row: /^eth\d +48v /gm,
    rows: 5,
    nonsense: 'nonsense',
  },
  {
    name: 'OpenWrt switch',
    dialect: linuxShell,
    start: (options) => startOpenwrt({ ports: 48, ...options }),
    command: 'ubus call poe info',
    row: /"status": "Delivering power"/g,
    rows: 48,
    nonsense: 'nonsense',
  },
  {
    name: 'Nexus',
    dialect: nxos,
    start: startNxos,
    ...interfaceRows,
  },
  {
    name: 'Arista switch',
    dialect: eos,
    start: (options) => startEos({ enablePassword: 'second', ...options }),
    ...interfaceRows,
  },
  {
    name: 'Juniper switch that nobody knows',
    dialect: genericDialect({
      prompt: String.raw`^[\w.-]+@[\w.-]+[>#]$`,
      pagingOff: ['set cli screen-length 0', 'set cli screen-width 0'],
      answers: [],
      rejected: [],
      logout: 'exit',
    }),
    start: startJunos,
    command: 'show configuration',
    row: /^ {4}(?:ge-\d\S+|irb|me0) \{$/gm,
    rows: 4,
    nonsense: 'shw x',
  },
  ...(['next-line', 'delete-and-insert'] as const).map((scrolls) => ({
    name: `ProCurve that scrolls by ${scrolls}`,
    dialect: procurve,
    start: (options: CliOptions) =>
      startProcurve({
        role: 'operator',
        manager: { username: 'manager', password: 'second' },
        scrolls,
        ...options,
      }),
    ...procurveRows,
  })),
  {
    name: 'ProCurve of old, over telnet',
    dialect: procurve,
    start: (options) => startProcurve({ alwaysPages: true, telnetPort: 0, ...options }),
    transport: 'telnet',
    ...procurveRows,
  },
  {
    name: 'Arista switch that nobody knows',
    dialect: genericDialect({
      prompt: String.raw`^[\w-]+(?:\(.*\))?[>#]$`,
      pagingOff: ['terminal length 0'],
      enable: 'enable',
      answers: [],
      rejected: [],
      logout: 'exit',
    }),
    start: (options) => startEos({ enablePassword: 'second', ...options }),
    ...interfaceRows,
  },
];

/** A configuration contains the time at which it was shown. */
function withoutTime(answer = '') {
  return answer.replace(/^! ?(?:Time|Command): .*$/gm, '');
}

const signal = soon();

async function open(family: Family, faults: readonly DeviceFault[] = []) {
  const options = { username: 'skolo', password: 'right', hostKey: newHostKey() };
  const device = await family.start(options);
  onTestFinished(() => device.close());
  device.faults.slowMs = 60;
  // Without a pager, nothing can remain.
  for (const fault of faults) setFault(device, fault);
  const credentials = {
    username: 'skolo',
    password: new Secret('right'),
    enablePassword: new Secret('second'),
  };
  const { transport = 'ssh', dialect } = family;
  const port = transport === 'telnet' ? (device.telnetPort ?? 0) : device.port;
  const cli = await openCli(target(port, credentials), transport, dialect, await deps(), signal);
  onTestFinished(() => cli.close());
  return { cli, device };
}

it.each(families)(
  'a session with a $name goes on after a rejected command, and ends',
  async (family) => {
    const { command, row, rows, nonsense } = family;
    const { cli, device } = await open(family);

    const first = await cli.run(command, { signal });
    await expect(cli.run(nonsense ?? '', { signal })).rejects.toThrow(/^switch-1: rejects /);
    const second = await cli.run(command, { signal });
    await cli.close();

    expectWhole([first, second], command);
    expect(first.match(row)).toHaveLength(rows);
    expect(device.received.at(-1)?.text).toMatch(/logout|exit|quit/);
    await vi.waitFor(() => expect(device.sessions.now).toBe(0));
  },
);

it.each(families)(
  'a session with a $name is not disturbed by a pager that stays, a prompt in its banner and slow answers',
  async (family) => {
    const { command, row, rows } = family;
    const { cli } = await open(family, ['pager-stays', 'prompt-in-banner', 'slow']);

    const answers = [await cli.run(command, { signal }), await cli.run(command, { signal })];

    expectWhole(answers, command);
    expect(answers[0]?.match(row)).toHaveLength(rows);
  },
);

/** Answers to a command, without what belongs to the session. */
function expectWhole([first = '', second = '']: readonly string[], command: string): void {
  expect(withoutTime(second)).toBe(withoutTime(first));
  expect(first).not.toMatch(/\b(?:more|quit|right|second)\b/i);
  const lines = withoutTime(first).split('\n');
  expect(lines.filter((line) => line.endsWith(command))).toEqual([]);
}
