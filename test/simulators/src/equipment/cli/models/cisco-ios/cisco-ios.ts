/**
 * Cisco Catalyst switch with PoE (IOS, IOS-XE), over ssh and telnet. It takes the terminal to be 80 columns wide until it is
 * told otherwise, so that the echo of a long line is not what was typed. In configuration mode the prompt shows 20 characters
 * of the host name. `show running-config` tells its size and who changed it last, and, of a clock that is set by NTP, a
 * correction that is never the same. What is saved is printed with another first line.
 *
 * Sources: Cisco's command references (Catalyst 3560, 3650: `power inline`, `show power inline`), recorded sessions,
 * netmiko's notes on echo and paging. The pager's erasing is as RANCID and Oxidized know it.
 *
 * No recording: its state matters, because ports are switched, and its configuration is changed, saved and put back.
 */
import type { ConfiguredDevice } from '../../core.ts';
import { configuration, enable, leave, setPager, to } from '../../switch/commands.ts';
import type { Commands, Run, SwitchModel, SwitchOptions, Talk } from '../../switch/model.ts';
import { type Switch, startSwitch } from '../../switch/switch.ts';
import { promptOf } from '../../switch/talk.ts';
import type { Screen } from '../../terminal.ts';
import { tableCommands } from '../host-tables.ts';
import { Flash } from './cisco-flash.ts';
import { allPorts, findPort, longName, onePort } from './cisco-poe.ts';

export interface CiscoIosOptions
  extends SwitchOptions,
    Partial<Pick<Screen, 'width' | 'overflow'>> {
  /** Ports with PoE, from Gi1/0/1; 24 when absent. */
  ports?: number;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** `Switch` when absent. */
  hostName?: string;
  /**
   * Of who signs in; 1 when absent, from which `enable` leads to 15. Others are at `#` from the start, but below 15 the configuration
   * consists of what they may set.
   */
  privilege?: number;
  /** The parser view that the login is in, whose commands are those that the configuration shows. */
  view?: string;
  /** Beginnings of commands that AAA rejects. */
  denied?: readonly string[];
  /** When log lines appear: in an answer, behind the prompt in its line, or after it. The prompt is not repeated then. */
  logging?: 'none' | 'before-prompt' | 'behind-prompt' | 'after-prompt';
  /** `terminal exec prompt timestamp`: load and time come in front of each answer. */
  promptTimestamp?: boolean;
}

/** Statements that it knows, where they belong; the rest is rejected. */
const known = `aaa new-model
alias exec x y
archive
banner motd x
boot system x
class-map x
clock timezone UTC 0 0
crypto pki trustpoint x
enable secret x
errdisable recovery cause all
hostname x
ip domain-name x
key chain x
line vty 0 4
lldp run
logging host x
mac address-table x
ntp server x
policy-map x
radius server x
router ospf 1
service timestamps log datetime msec
snmp-server community x
spanning-tree mode x
tacacs server x
tacacs-server host x
radius-server host x
username x
vlan 10
vtp mode transparent
interface Vlan1
 address ipv4 x
 area 0 x
 authentication x
 certificate x
 description x
 encr aes
 enrollment x
 exec-timeout 0 0
 ip address x
 key 1
 key-string x
 login local
 name x
 neighbor x
 network x
 password x
 permit x
 power inline x
 privilege level 15
 server name x
 shutdown
 spanning-tree portfast
 storm-control x
 switchport x
 transport input ssh
`;

const version = `Cisco IOS Software [Gibraltar], Catalyst L3 Switch Software (CAT3K_CAA-UNIVERSALK9-M), Version 16.12.8, RELEASE SOFTWARE (fc1)
Technical Support: http://www.cisco.com/techsupport

ROM: IOS-XE ROMMON

{host} uptime is 2 weeks, 3 days, 4 hours, {minutes} minutes
System returned to ROM by Power Failure or Unknown
System image file is "flash:packages.conf"

cisco WS-C3650-24PS (MIPS) processor (revision M0) with 866270K/6147K bytes of memory.
Processor board ID {serial}
24 Gigabit Ethernet interfaces
2048K bytes of non-volatile configuration memory.

Model Number                       : WS-C3650-24PS
System Serial Number               : {serial}

Configuration register is 0x102
`;

const inventory = `NAME: "1", DESCR: "WS-C3650-24PS-S"
PID: WS-C3650-24PS-S   , VID: V01  , SN: {serial}
`;

const body = `!
! Last configuration change at {changed} by {changedBy}
! NVRAM config last updated at {saved} by {savedBy}
!
version 16.12
{text}!
{clock}end
`;

const CTRL_Z = '\x1a';

const rejections = {
  invalid: "{marker}% Invalid input detected at '^' marker.\n\n",
  incomplete: '% Incomplete command.\n\n',
  ambiguous: '% Ambiguous command:  "{line}"\n',
};

const unknown =
  'Translating "{line}"...domain server (255.255.255.255)\n% Unknown command or computer name, or unable to find computer address\n';

/** What all of them have, whatever the options say. */
const fixed = {
  name: 'cisco-ios',
  ident: 'Cisco-1.25',
  words: {
    before: '\n\nUser Access Verification\n\n',
    user: 'Username: ',
    wrong: '% Login invalid\n\n',
  },
  maxSessions: 5,
  pager: {
    text: ' --More-- ',
    erase: `${'\b'.repeat(9)}${' '.repeat(8)}${'\b'.repeat(9)}`,
    rows: 24,
  },
  greeting: '\n',
  hostName: 'Switch',
  serial: 'FDO1234X0AB',
  places: [
    [/^interface Gi.*$/, 'config-if'],
    [/^(\S+).*$/, 'config-$1'],
  ],
  rejections,
  style: {
    indent: 1,
    sections: [
      /^interface /,
      /^line (con|vty|aux) /,
      /^vlan [\d,-]+$/,
      /^router /,
      /^key chain /,
      /^key \d+$/,
      /^ip access-list /,
      /^aaa group server /,
      /^(tacacs|radius) server /,
      /^crypto pki (trustpoint|certificate chain) /,
      /^crypto (isakmp|ikev2) /,
      /^(class-map|policy-map|class) /,
      /^archive$/,
    ],
    single: [
      'hostname',
      /^username \S+ (?=privilege|secret)/,
      'description',
      'name',
      'enable secret',
      'enable password',
      'ip address',
      'ip domain-name',
      'switchport mode',
      'switchport access vlan',
      'power inline',
      'snmp-server location',
      'clock timezone',
    ],
    separator: '!',
    comment: /^(!|version |Building configuration|Current configuration|ntp clock-period|end$)/,
    freeText(line) {
      if (/^banner \w+ \^C/.test(line)) return /\^C\s*$/;
      return /^certificate /.test(line) ? /^\s*quit$/ : undefined;
    },
  },
  accounts: {
    typed: [
      [/^(username \S+(?: privilege \d+)? secret) (?:0 )?(?<secret>\S+)$/, '$1 9 {hash}'],
      [/^(enable secret) (?:0 )?(?<secret>\S+)$/, '$1 9 {hash}'],
    ],
    user: (name) => new RegExp(`^username ${name} .*\\bsecret `),
    enable: /^enable secret /,
  },
  known,
  running: 'Building configuration...\n\nCurrent configuration : {bytes} bytes\n{body}\n',
  startup: 'Using {bytes} out of 2097152 bytes\n{body}\n',
  body,
  banner: { at: /$/, text: 'banner motd ^C\n{added}\n^C\n', isSaved: true },
  time: iosTime,
  logs: {
    logLine: logLine('%LINK-3-UPDOWN: Interface GigabitEthernet1/0/7, changed state to up'),
  },
  logged: withoutSecret,
  // A name and its number may be apart.
  rewrite: (line: string) => line.replace(/\b(gi\w*|te\w*|fa\w*) +(?=\d)/i, '$1'),
} satisfies Partial<SwitchModel>;

type Log = (talk: Talk, ...lines: string[]) => void;

interface Parts {
  ports: readonly string[];
  flash: Flash;
  log: Log;
  privilege: number;
  view: string | undefined;
}

function modelFor(options: CiscoIosOptions): SwitchModel {
  const { ports: count = 24, watts = 4.5 } = options;
  const ports = Array.from({ length: count }, (_, i) => `Gi1/0/${i + 1}`);
  const { hostName = 'Switch', privilege = 1, denied = [], promptTimestamp = false } = options;
  const { width = 80, overflow = 'wrap', logging = 'before-prompt' } = options;
  const logs = new WeakMap<Talk, string[]>();
  const log: Log = (talk, ...lines) =>
    void logs.set(talk, [...(logs.get(talk) ?? []), ...lines.map(logLine)]);
  let shows = 0;
  return {
    ...fixed,
    screen: () => ({ width, overflow }),
    firstMode: privilege === 1 ? 'user' : 'privileged',
    modes: modes({ ports, flash: new Flash(), log, privilege, view: options.view }),
    example: factory(ports, hostName),
    power: {
      ports,
      section: (port) => [`interface ${longName(port)}`],
      statement: 'power inline',
      usual: 'auto',
      off: 'never',
      watts,
    },
    values: {
      short: ({ host }) => host.slice(0, 20),
      minutes: () => String(new Date().getUTCMinutes()),
      milliseconds: () => iosTime(new Date()).replace(/ UTC/, '.123 UTC'),
      clock(_, { text = '' }) {
        if (!/^ntp server /m.test(text)) return '';
        shows += 1;
        return `ntp clock-period ${17_180_000 + (shows % 100)}\n!\n`;
      },
    },
    ...(promptTimestamp && {
      beforeAnswer:
        'Load for five secs: 1%/0%; one minute: 0%; five minutes: 0%\nTime source is NTP, {milliseconds}\n\n',
    }),
    forbid({ mode }, line) {
      if (!denied.some((start) => line.startsWith(start))) return undefined;
      return mode === 'config' ? 'Command authorization failed.\n\n' : '% Authorization failed.\n';
    },
    async readLine(talk, prompt) {
      const { terminal } = talk;
      const lines = logging === 'none' ? [] : (logs.get(talk) ?? []);
      logs.delete(talk);
      const text = lines.map((line) => `${line}\n`).join('');
      const isBefore = logging === 'before-prompt';
      if (isBefore) terminal.put(text);
      const gap = logging === 'after-prompt' && text !== '' ? '\n' : '';
      const typed = await terminal.readLine(`${prompt}${isBefore ? '' : `${gap}${text}`}`);
      if (typed === CTRL_Z) terminal.put('^Z\n');
      return typed;
    },
  };
}

function modes({ ports, flash, log, privilege, view }: Parts): SwitchModel['modes'] {
  const shown = view !== undefined || (privilege > 1 && privilege < 15) ? shownPart : {};
  const exec = { ...execCommands(ports), ...whoCommands(privilege, view) };
  const config = configCommands(ports, log);
  return {
    user: {
      prompt: '{host}>',
      rejections: { unknown },
      commands: { ...exec, enable: enableCommand(log) },
    },
    privileged: {
      prompt: '{host}#',
      rejections: { unknown },
      commands: { ...exec, ...privilegedCommands(ports, flash), ...shown },
    },
    config: { prompt: '{short}({place})#', configures: true, commands: config },
    'config config-if': {
      prompt: '{short}({place})#',
      configures: true,
      commands: { ...config, ...portCommands(ports, log) },
    },
  };
}

function onPort(ports: readonly string[], show: (port: string, device: Switch) => string): Run {
  return (talk, words) => {
    const port = findPort(ports, words[3] ?? '');
    if (port !== undefined) return show(port, talk.device);
    return invalid(promptOf(talk).length + words.slice(0, 3).join(' ').length + 1);
  };
}

function execCommands(ports: readonly string[]): Commands {
  return {
    exit: leave,
    logout: leave,
    quit: leave,
    'show power inline': ({ device }) => allPorts(device),
    'show power inline <port>': onPort(ports, onePort),
    'terminal length <lines>': setPager(),
    'terminal width <columns>': ({ terminal }, words) => {
      terminal.screen.width = Number(words[2]);
      return '';
    },
    'show version': version,
    'show inventory': inventory,
    ...tableCommands('ios'),
  };
}

/** Who one is, for oneself: `enable` leads from level 1 to 15. */
function whoCommands(privilege: number, view: string | undefined): Commands {
  const level = ({ mode }: Talk) => (mode !== 'user' && privilege === 1 ? 15 : privilege);
  const none = 'No view is active ! Currently in Privilege Level Context\n';
  return {
    'show privilege': (talk) => `Current privilege level is ${level(talk)}\n`,
    'show parser view': view === undefined ? none : `Current view is '${view}'\n`,
  };
}

/**
 * The configuration of a login below privilege 15, or in a parser view: statements that it may not set are left out, the size is that of the
 * rest, and it ends as always. What is saved is not shown. (Cisco's note on privilege levels and `show running-config`; cisco.ios issue
 * 709, Oxidized's issues 677 and 2604.)
 */
const shownPart: Commands = {
  'show running-config'({ device, terminal }) {
    const [, before = '', text = ''] =
      /^([\s\S]*?\n)(!\n[\s\S]*)$/.exec(device.fill('{running}')) ?? [];
    const kept = text
      .split('\n')
      .filter((line) => /^(?:!.*|hostname .*|interface .*|end|)$/.test(line));
    const part = kept.join('\n').replace(/(?:!\n){2,}/g, '!\n');
    const size = Buffer.byteLength(part) - 1;
    return terminal.session.configuration(before.replace(/\d+ bytes/, `${size} bytes`) + part);
  },
  'show startup-config': (talk) => invalid(promptOf(talk).length + 'show '.length),
};

function enableCommand(log: Log): Run {
  return enable({
    question: 'Password: ',
    hidden: 'none',
    tries: 3,
    wrong: '% Bad secrets\n\n',
    unset: '% Error in authentication.\n\n',
    onEnter: (talk) =>
      log(
        talk,
        `%SYS-5-PRIV_AUTH_PASS: Privilege level set to 15 by ${talk.terminal.session.user} on vty0`,
      ),
  });
}

function privilegedCommands(ports: readonly string[], flash: Flash): Commands {
  const replace: Run = (talk, [, , name = '']) => {
    const said = flash.replacement(name);
    if (typeof said === 'string') return said;
    talk.terminal.session.act(() => {
      talk.device.running = talk.device.lines(said.text);
      talk.device.applyPower();
      talk.device.changed(talk.terminal.session.user);
    });
    return '\nTotal number of passes: 1\nRollback Done\n\n';
  };
  return {
    enable: '',
    disable: to('user'),
    'configure terminal': to(
      'config',
      'Enter configuration commands, one per line.  End with CNTL/Z.\n',
    ),
    'show running-config': configuration('{running}'),
    'show startup-config': configuration('{startup}'),
    'show running-config interface <port>': onPort(ports, showPort),
    'write memory': save,
    write: save,
    'copy running-config startup-config': async (talk) => {
      await talk.terminal.readLine('Destination filename [startup-config]? ');
      return save(talk);
    },
    tclsh: ({ device, terminal }) => flash.tclsh(terminal, `${device.host}(tcl)#`),
    'configure replace <file> force': replace,
    'more <file>': ({ terminal }, [, name = '']) => flash.show(terminal, name),
    'delete /force <file>': (_, [, , name = '']) => flash.remove(name),
  };
}

function configCommands(ports: readonly string[], log: Log): Commands {
  function end(talk: Talk): string {
    talk.device.running.leave();
    talk.mode = 'privileged';
    log(talk, '%SYS-5-CONFIG_I: Configured from console by admin on vty0');
    return '';
  }
  return {
    'interface <port>': (talk, [, name = '']) => enterInterface(talk, findPort(ports, name), name),
    exit(talk) {
      if (talk.device.running.sections.length === 0) return end(talk);
      talk.device.running.enter('exit');
      return '';
    },
    end,
  };
}

function portCommands(ports: readonly string[], log: Log): Commands {
  function setMode(talk: Talk, mode: string): string {
    const [, name = ''] = talk.device.running.sections.at(-1)?.split(' ') ?? [];
    const port = findPort(ports, name);
    if (port === undefined || !changesPower(talk, port, mode)) return '';
    if (mode === 'never') {
      log(talk, `%ILPOWER-5-IEEE_DISCONNECT: Interface ${port}: PD removed`);
      log(talk, `%LINK-3-UPDOWN: Interface ${longName(port)}, changed state to down`);
    } else {
      log(talk, `%ILPOWER-7-DETECT: Interface ${port}: Power Device detected: IEEE PD`);
      log(talk, `%ILPOWER-5-POWER_GRANTED: Interface ${port}: Power granted`);
    }
    return '';
  }
  const usualMode: Run = (talk) => setMode(talk, 'auto');
  const named: Run = (talk, words) => setMode(talk, words.slice(2).join(' '));
  return {
    'power inline auto|never|static': named,
    'power inline auto|static max <milliwatts>': named,
    'no power inline auto|never|static': usualMode,
    'no power inline': usualMode,
    'default power inline': usualMode,
  };
}

function invalid(column: number): string {
  return rejections.invalid.replace('{marker}', `${' '.repeat(column)}^\n`);
}

/** Going there changes nothing yet. */
function enterInterface(talk: Talk, port: string | undefined, name: string): string {
  const [, kind, number] = /^(vlan|loopback|port-channel|tunnel)(\d+)$/i.exec(name) ?? [];
  if (port === undefined && kind === undefined) {
    return invalid(promptOf(talk).length + 'interface '.length);
  }
  const { running } = talk.device;
  running.leave();
  const other = `${kind?.replace(/^./, (letter) => letter.toUpperCase())}${number}`;
  running.enter(`interface ${port === undefined ? other : longName(port)}`);
  return '';
}

/** Sets the mode of a port; whether that turned it on or off. */
function changesPower({ device, terminal }: Talk, port: string, mode: string): boolean {
  const { board } = device.core;
  const before = board.isOn(port);
  device.setPower(terminal.session, [port], mode);
  return board.isOn(port) !== before;
}

function save({ device, terminal }: Talk): string {
  device.save(terminal.session.user);
  return 'Building configuration...\n[OK]\n';
}

/** `show running-config interface`. */
function showPort(port: string, { running }: Switch): string {
  const name = longName(port);
  const section = new RegExp(`^interface ${name}\\n(?: .*\\n)*`, 'm');
  const [text = `interface ${name}\n`] = section.exec(running.print()) ?? [];
  const shown = `!\n${text}end\n`;
  return `Building configuration...\n\nCurrent configuration : ${shown.length} bytes\n${shown}\n`;
}

function factory(ports: readonly string[], hostName: string): string {
  const interfaces = ports.map((port) => `interface ${longName(port)}\n switchport mode access\n`);
  return `service timestamps log datetime msec
hostname ${hostName}
${interfaces.join('')}line vty 0 4
 login local
 transport input ssh
`;
}

/** For the log of what it received. */
function withoutSecret(line: string): string {
  return line.replace(
    /\b(password|secret|key|community|key-string|md5)((?: \d)?) (?:".*"|\S+)/g,
    '$1$2 <secret>',
  );
}

/** `10:37:49 UTC Fri Nov 20 2026`. */
function iosTime(date: Date): string {
  const [, day, dayOfMonth, month, year, time] =
    /^(\w+), 0?(\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${time} UTC ${day} ${month} ${dayOfMonth} ${year}`;
}

function logLine(text: string): string {
  return `*Nov 20 10:37:49.492: ${text}`;
}

export function startCiscoIos(options: CiscoIosOptions): Promise<ConfiguredDevice> {
  return startSwitch(modelFor(options), options);
}
