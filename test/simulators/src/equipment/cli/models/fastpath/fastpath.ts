/**
 * Broadcom's Fastpath, as it is in Ubiquiti's EdgeSwitch and in older UniFi switches.
 *
 * Modes, prompts, pager and the questions of `logout` and `write memory` are as in Ubiquiti's command reference, in
 * Oxidized's model `edgeswitch` and in recorded sessions; the wording of rarer rejections is from memory. The configuration
 * has only what differs from the factory, in an order of its own, with remarks that change by themselves.
 */

import type { AccountStatements } from '../../switch/account-statements.ts';
import { configuration, confirm, enable, setPager, to } from '../../switch/commands.ts';
import { type LineStyle, type Statement, statement } from '../../switch/line-configuration.ts';
import type { Commands, Run, Statements, SwitchModel, Talk } from '../../switch/model.ts';
import type { Switch } from '../../switch/switch.ts';
import { promptOf } from '../../switch/talk.ts';
import { tableCommands } from '../host-tables.ts';
import { portSettings, portStatus } from './fastpath-poe.ts';

export const factoryName = 'UBNT EdgeSwitch';

const factory = `network protocol none
vlan database
exit
configure
line console
exit
line telnet
exit
line ssh
exit
exit
`;

const description = 'EdgeSwitch 24-Port 250W, 1.9.3, Linux 3.6.5-03329b4a, 1.1.0.5102011';
/** It had run for this long when it was started here. */
const upSeconds = ((12 * 24 + 3) * 60 + 41) * 60 + 7;

const shown = `
!Current Configuration:
!
!System Description "${description}"
!System Software Version "1.9.3"
!System Up Time          "{up}"
!Additional Packages     QOS,IPv6 Management,Routing
!Current SNTP Synchronized Time: SNTP Last Attempt Status Is Not Successful
!
{text}
`;

const version = `
Switch: 1

System Description............................. ${description}
Machine Type................................... EdgeSwitch 24-Port 250W
Machine Model.................................. ES-24-250W
Serial Number.................................. {serial}
Burned In MAC Address.......................... {mac}
Software Version............................... 1.9.3
`;

/** The switch prints statements in an order of its own, whatever the one in which they were typed. */
const order =
  'hostname,network protocol,network parms,network,vlan database,set clibanner,ip ssh,configure,sntp,clock,ip,logging,username,users,line,radius,tacacs-server,snmp-server,spanning-tree,shutdown,description,vlan,switchport,,interface,poe'.split(
    ',',
  );

function rank(line: string): number {
  const at = order.findIndex((start) => start !== '' && `${line} `.startsWith(`${start} `));
  return at === -1 ? order.indexOf('') : at;
}

const blocks = [
  /^line \S/,
  /^router \S/,
  /^policy-map \S/,
  /^class-map \S/,
  /^ip dhcp pool \S/,
  /^(mac|ip|ipv6) access-list \S/,
];

/** First words of what may be configured. */
const words = {
  privileged: /^!|^(no )?(hostname|network|ip ssh|ip http|set) /,
  vlan: /^!|^(no )?vlan /,
  config:
    /^!|^(no )?(snmp-server|sntp|clock|username|users|ip|ipv6|logging|spanning-tree|radius|radius-server|tacacs-server|aaa|authentication|line|router|policy-map|class-map|mac|lldp|set|storm-control|enable|vlan|hostname|network|port-channel|monitor|dhcp|dot1x|snmp|interface) /,
  interface:
    /^!|^(no )?(description|vlan|switchport|spanning-tree|lldp|speed|auto-negotiate|mtu|storm-control|shutdown|addport|routing|ip|ipv6|port-security|dot1x|cos-queue|channel-group)\b/,
  block: /^!|^(no )?\S/,
};

const noSuchInterface = '\nAn invalid interface has been used for this function.\n';

/** The ports that `all`, `0/5` or `0/1-0/12` mean. */
function portsOf({ power: { ports } }: Switch, text = ''): readonly string[] | undefined {
  if (text === 'all') return ports;
  const [first = '', last = first] = text.split('-');
  const [from, until] = [ports.indexOf(first), ports.indexOf(last)];
  return from === -1 || until < from ? undefined : ports.slice(from, until + 1);
}

function onPorts(run: (device: Switch, ports: readonly string[]) => string): Run {
  return ({ device }, words) => {
    const ports = portsOf(device, words.at(-1));
    return ports ? run(device, ports) : noSuchInterface;
  };
}

/** Of the interface mode. */
function portsHere({ device, notes }: Talk): readonly string[] {
  return portsOf(device, notes.get('range')) ?? [];
}

const enterInterface: Run = (talk, [, range = '']) => {
  if (range === 'all' || portsOf(talk.device, range) === undefined) return noSuchInterface;
  talk.notes.set('range', range);
  talk.mode = 'interface';
  return '';
};

const resetPorts: Run = (talk, [, , text]) => {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 60) {
    const column = promptOf(talk).length + 'poe reset '.length;
    return `${' '.repeat(column)}^\n% Invalid input detected at '^' marker.\n`;
  }
  talk.device.resetPower(talk.terminal.session, portsHere(talk), seconds);
  return '';
};

/** Statements go to each of the places. A quoted text goes on in the next line. */
function statements(known: RegExp, places: (talk: Talk) => string[][]): Statements {
  return {
    known,
    async enter(talk, line) {
      const { device, terminal } = talk;
      if (line.startsWith('!')) return '';
      if (talk.mode === 'config' && blocks.some((block) => block.test(line))) {
        terminal.session.act(() => device.running.enterAt(['configure', line]));
        talk.notes.set('block', line);
        talk.mode = 'block';
        return '';
      }
      const text = [line];
      while ((text.join('\n').match(/"/g)?.length ?? 0) % 2 === 1) {
        text.push(await terminal.readLine('> '));
      }
      terminal.session.act(() => {
        for (const place of places(talk)) device.running.enterAt(place, ...text);
        device.changed(terminal.session.user);
      });
      return '';
    },
  };
}

const show: Commands = {
  'show poe status <port>': onPorts(portStatus),
  'show poe port <port>': onPorts(portSettings),
};

const privilegedShow: Commands = {
  ...show,
  'show running-config': configuration('{running}'),
  'show startup-config': configuration('{startup}'),
  'show running-config interface <port>': onPorts(({ running }, ports) =>
    [
      '\n!Current Configuration:\n!',
      ...ports.map((port) => {
        const text = running.printSection(['configure', `interface ${port}`]);
        return `interface  ${port}\n${text}exit\n`;
      }),
    ].join('\n'),
  ),
  'show version': version,
  ...tableCommands('fastpath'),
};

const logOut: Run = async (talk) => {
  talk.isOver = true;
  if (!talk.device.isUnsaved) return '';
  const key = await talk.terminal.readKey(
    '\nThe system has unsaved changes.\nWould you like to save them now? (y/n) ',
  );
  if (key !== 'y') return '\nConfiguration Not Saved!\n';
  talk.device.save(talk.terminal.session.user);
  return '\nConfiguration Saved!\n';
};

const writeMemory = confirm(
  '\nThis operation may take a few minutes.\nManagement interfaces will not be available during this time.\n\nAre you sure you want to save? (y/n) ',
  ({ device, terminal }) => {
    device.save(terminal.session.user);
    return "\nConfig file 'startup-config' created successfully .\n\n\nConfiguration Saved!\n";
  },
  '\nConfiguration Not Saved!\n',
);

const clearConfiguration = confirm(
  '\nAre you sure you want to clear the configuration? (y/n) ',
  ({ device, terminal }) => {
    terminal.session.act(() => {
      device.running = device.lines(factory);
      device.changed(terminal.session.user);
      device.applyPower();
    });
    return '\nClearing configuration. Please wait for login prompt.\n';
  },
  '\nConfiguration Not Cleared!\n',
);

const leaving: Commands = { logout: logOut, quit: logOut };
const toConfig: Commands = { exit: to('config'), end: to('privileged') };
const toPrivileged: Commands = { exit: to('privileged'), end: to('privileged') };

const modes: SwitchModel['modes'] = {
  user: {
    prompt: '({host}) >',
    statements: statements(/^!/, () => []),
    commands: {
      ...show,
      ...leaving,
      enable: enable({
        question: 'Password:',
        hidden: 'stars',
        tries: 1,
        wrong: '\nIncorrect Password!\n',
      }),
      exit: logOut,
    },
  },
  privileged: {
    prompt: '({host}) #',
    statements: statements(words.privileged, () => [[]]),
    commands: {
      ...privilegedShow,
      ...leaving,
      configure: to('config'),
      'vlan database': to('vlan'),
      exit: to('user'),
      disable: to('user'),
      'terminal length <lines>': setPager(),
      'write memory': writeMemory,
      'copy system:running-config nvram:startup-config': writeMemory,
      'clear config': clearConfiguration,
    },
  },
  vlan: {
    prompt: '({host}) (Vlan)#',
    statements: statements(words.vlan, () => [['vlan database']]),
    commands: { ...privilegedShow, ...toPrivileged },
  },
  config: {
    prompt: '({host}) (Config)#',
    statements: statements(words.config, () => [['configure']]),
    commands: { ...privilegedShow, 'interface <port>': enterInterface, ...toPrivileged },
  },
  interface: {
    prompt: '({host}) (Interface {range})#',
    statements: statements(words.interface, (talk) =>
      portsHere(talk).map((port) => ['configure', `interface ${port}`]),
    ),
    commands: {
      ...privilegedShow,
      'interface <port>': enterInterface,
      'poe opmode auto|shutdown|passive24v': (talk, [, , mode = '']) => {
        talk.device.setPower(talk.terminal.session, portsHere(talk), mode);
        return '';
      },
      'poe reset <seconds>': resetPorts,
      ...toConfig,
    },
  },
  block: {
    prompt: '({host}) (Config-{block})#',
    statements: statements(words.block, ({ notes }) => [['configure', notes.get('block') ?? '']]),
    commands: toConfig,
  },
};

const style: LineStyle = {
  indent: 0,
  sections: [/^vlan database$/, /^configure$/, /^interface \S/, ...blocks],
  single:
    /^(hostname|description|network parms|network protocol|network mgmt_vlan|clock timezone|vlan pvid|vlan name \d+|switchport mode|switchport access vlan|switchport trunk \w+ vlan|snmp-server (?:sysname|location|contact)|username "?[\w.-]+"?|set clibanner|poe opmode|speed|enable password|ip ssh \w+|radius server key \S+ \S+) /,
  sectionEnd: 'exit',
  linesBehind: (section) => (section.startsWith('interface ') ? 3 : 1),
  order: (one, other) =>
    rank(one) - rank(other) ||
    (one.startsWith('interface ') ? one.localeCompare(other, 'en', { numeric: true }) : 0),
  hidden: /^interface /,
  staysInSection: true,
  forgetsNo: true,
  edit: changeVlans,
  comment: /^!/,
  freeText: (line) =>
    (line.match(/"/g)?.length ?? 0) % 2 === 1 ? /^[^"]*(?:"[^"]*"[^"]*)*"[^"]*$/ : undefined,
};

const accounts: AccountStatements = {
  typed: [
    [
      /^(username "?[\w.-]+"? password) "?(?<secret>[^\s"]+)"?((?: level \d+)?)$/,
      '$1 {hash}$3 encrypted',
    ],
    [/^(enable password) "?(?<secret>[^\s"]+)"?$/, '$1 {hash} encrypted'],
  ],
  user: (name) => new RegExp(`^username "?${name}"? `),
  enable: /^enable password /,
};

export interface FastpathOptions {
  ports: readonly string[];
  watts: number;
  detectionSeconds?: number;
  /** `show poe status` has a column for what was consumed. */
  consumedMeter?: boolean;
  /** What is saved when it starts; the factory's when absent. */
  configuration?: string;
  /** In the prompt, where the configuration has no `hostname`. */
  hostName: string;
}

/** What of the model is Fastpath's. */
export function fastpath({ hostName, ...options }: FastpathOptions): SwitchModel {
  const startedAt = Date.now();
  const text = options.configuration?.replace(/^(interface) {2}/gm, '$1 ') ?? factory;
  const named = hostName === factoryName ? '' : `hostname "${hostName}"\n`;
  return {
    name: 'edgeswitch',
    maxSessions: 5,
    pager: { text: '--More-- or (q)uit', erase: `\r${' '.repeat(18)}\r`, rows: 23 },
    greeting: '',
    gap: '\n',
    hostName: factoryName,
    serial: 'F09FC2DE5678',
    modes,
    rejections: {
      invalid: "{marker}% Invalid input detected at '^' marker.\n",
      incomplete: '\nCommand not found / Incomplete command. Use ? to list commands.\n',
      ambiguous: '\n% Ambiguous command\n',
    },
    places: [],
    style,
    accounts,
    example: /^hostname /m.test(text) ? text : `${named}${text}`,
    running: shown,
    startup: shown,
    banner: {
      at: /^configure\n/m,
      text: 'configure\nset clibanner "\n{added}\n"\n',
      isSaved: true,
    },
    logs: {},
    power: {
      ports: options.ports,
      outlet: outletOf,
      section: (port) => ['configure', `interface ${port}`],
      statement: 'poe opmode',
      usual: 'auto',
      off: 'shutdown',
      watts: options.watts,
      ...(options.detectionSeconds !== undefined && { detectionSeconds: options.detectionSeconds }),
    },
    logged: withoutSecret,
    values: {
      up: ({ core }) => {
        const up = upSeconds + Math.floor((Date.now() - startedAt) / core.secondMs);
        const [days, hours] = [Math.floor(up / 86_400), Math.floor(up / 3600) % 24];
        return `${days} days ${hours} hrs ${Math.floor(up / 60) % 60} mins ${up % 60} secs`;
      },
      mac: (device) => device.fill('{serial}').match(/../g)?.join(':') ?? '',
      range: (_, { talk }) => talk?.notes.get('range') ?? '',
      block: (_, { talk }) => talk?.notes.get('block')?.split(' ')[0] ?? '',
      hasMeter: () => (options.consumedMeter ? 'yes' : ''),
    },
  };
}

/** What a switch with these ports, `0/1` or `1/0/1`, is called by in rack.yaml: `1`, and `1/0/1`. */
function outletOf(port: string): string {
  return port.replace(/^0\//, '');
}

/** For the log of what it received. */
function withoutSecret(line: string): string {
  return line.replace(/\b(password|key|community|auth-\w+|priv-\w+) ("[^"]*"|\S+)/g, '$1 <secret>');
}

/** `vlan 10,20`, the first line of its block, and `no vlan 20`, which takes away the name, too. */
function changeVlans(section: Statement[], line: string): boolean {
  const [, no, numbers] = /^(no )?vlan ([\d,-]+)$/.exec(line) ?? [];
  if (numbers === undefined) return false;
  const at = section.findIndex((each) => /^vlan [\d,]+$/.test(each.line));
  const known = section[at]?.line.slice('vlan '.length).split(',') ?? [];
  const named = numbers.split(',');
  const all = no
    ? known.filter((number) => !named.includes(number))
    : [...new Set([...known, ...named])].sort((a, b) => Number(a) - Number(b));
  const isNameOf = (number: string) => (each: Statement) =>
    each.line.startsWith(`vlan name ${number} `);
  const left = section.filter(
    (each, index) => index !== at && !(no && named.some((number) => isNameOf(number)(each))),
  );
  const first = all.length > 0 ? [statement(`vlan ${all.join(',')}`)] : [];
  section.splice(0, section.length, ...first, ...left);
  return true;
}
