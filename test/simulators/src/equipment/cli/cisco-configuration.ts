/**
 * What a Cisco switch is configured with, and how it prints that: with its size and who changed it last, and, of a clock that is
 * set by NTP, a correction that is never the same. What is saved is printed with another first line.
 */
import { type CiscoPoe, longName } from './cisco-poe.ts';
import type { Core } from './core.ts';
import { LineSettings } from './line-cli.ts';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';
import { encodeText } from './text-bytes.ts';

const style: LineStyle = {
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
};

/** Statements that it knows, where they belong; the rest is refused. */
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

export interface CiscoFacts {
  hostName: string;
  serial: string;
}

function factory(ports: readonly string[], hostName: string): string {
  const interfaces = ports.map((port) => `interface ${longName(port)}\n switchport mode access\n`);
  return [
    'service timestamps log datetime msec\n',
    `hostname ${hostName}\n`,
    ...interfaces,
    'line vty 0 4\n login local\n transport input ssh\n',
  ].join('');
}

export class CiscoSettings {
  readonly facts: CiscoFacts;
  readonly poe: CiscoPoe;
  lines: LineSettings;
  changedBy = 'admin';
  private readonly core: Core;
  private shows = 0;

  /** @param text saved when it starts, as `show running-config` prints it */
  constructor(core: Core, poe: CiscoPoe, facts: CiscoFacts, text?: string) {
    this.core = core;
    this.poe = poe;
    this.facts = facts;
    this.lines = new LineSettings(style, text ?? factory(poe.ports, facts.hostName), known);
  }

  get hostName(): string {
    return this.lines.running.value('hostname') ?? 'Switch';
  }

  /** What is saved comes into force. */
  powerUp(): void {
    this.lines.boot();
    this.poe.setSaved(modesIn(this.lines.running.print()));
    this.poe.powerUp();
  }

  save(by: string): void {
    this.lines.save(by);
    this.poe.save();
  }

  /** `configure replace`: nothing of what was before stays. */
  replace(text: string, by: string): void {
    this.lines.running = new LineConfiguration(style, text, known);
    this.poe.setAll(modesIn(this.lines.running.print()));
    this.changed(by);
  }

  changed(by: string): void {
    this.lines.changedAt = new Date();
    this.changedBy = by;
  }

  running(): string {
    const body = this.body(this.lines.running.print(this.added()));
    return `Building configuration...\n\nCurrent configuration : ${encodeText(body).length} bytes\n${body}\n`;
  }

  startup(): string {
    const saved = new LineConfiguration(style, this.lines.saved?.text ?? '', known);
    const body = this.body(saved.print(this.added()));
    return `Using ${encodeText(body).length} out of 2097152 bytes\n${body}\n`;
  }

  /** `show running-config interface`. */
  port(port: string): string {
    const name = longName(port);
    const section = new RegExp(`^interface ${name}\\n(?: .*\\n)*`, 'm');
    const [text = `interface ${name}\n`] = section.exec(this.lines.running.print()) ?? [];
    const body = `!\n${text}end\n`;
    return `Building configuration...\n\nCurrent configuration : ${body.length} bytes\n${body}\n`;
  }

  private body(text: string): string {
    const { changedAt, savedAt, saved } = this.lines;
    const clock = /^ntp server /m.test(text)
      ? `ntp clock-period ${17_180_000 + (++this.shows % 100)}\n!\n`
      : '';
    return [
      '!\n',
      `! Last configuration change at ${iosTime(changedAt)} by ${this.changedBy}\n`,
      `! NVRAM config last updated at ${iosTime(savedAt)} by ${saved?.by ?? 'admin'}\n`,
      '!\nversion 16.12\n',
      `${text}!\n${clock}end\n`,
    ].join('');
  }

  /** Text in a banner may be anything, also what looks like a prompt. */
  private added(): string[] {
    const lines = this.core.addedLines();
    return lines.length === 0 ? [] : ['banner motd ^C', ...lines, '^C'];
  }
}

/** `power inline` of each interface, by its short name. */
function modesIn(text: string): Map<string, string> {
  const modes = new Map<string, string>();
  for (const [, name = '', lines = ''] of text.matchAll(/^interface (\S+)\n((?: .*\n)*)/gm)) {
    const mode = /^ power inline (.+)$/m.exec(lines)?.[1];
    if (mode === undefined) continue;
    modes.set(name.replace(/^([A-Z][a-z])[A-Za-z]*(?=\d)/, '$1'), mode);
  }
  return modes;
}

/** `10:37:49 UTC Fri Nov 20 2026`. */
export function iosTime(date: Date): string {
  const [, day, dayOfMonth, month, year, time] =
    /^(\w+), 0?(\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${time} UTC ${day} ${month} ${dayOfMonth} ${year}`;
}

export function logLine(text: string): string {
  return `*Nov 20 10:37:49.492: ${text}`;
}

export function versionOf({ serial }: CiscoFacts, hostName: string): string {
  return [
    'Cisco IOS Software [Gibraltar], Catalyst L3 Switch Software (CAT3K_CAA-UNIVERSALK9-M), Version 16.12.8, RELEASE SOFTWARE (fc1)',
    'Technical Support: http://www.cisco.com/techsupport',
    '',
    'ROM: IOS-XE ROMMON',
    '',
    `${hostName} uptime is 2 weeks, 3 days, 4 hours, ${new Date().getUTCMinutes()} minutes`,
    'System returned to ROM by Power Failure or Unknown',
    'System image file is "flash:packages.conf"',
    '',
    'cisco WS-C3650-24PS (MIPS) processor (revision M0) with 866270K/6147K bytes of memory.',
    `Processor board ID ${serial}`,
    '24 Gigabit Ethernet interfaces',
    '2048K bytes of non-volatile configuration memory.',
    '',
    'Model Number                       : WS-C3650-24PS',
    `System Serial Number               : ${serial}`,
    '',
    'Configuration register is 0x102',
    '',
  ].join('\n');
}

export function inventoryOf({ serial }: CiscoFacts): string {
  return [
    'NAME: "1", DESCR: "WS-C3650-24PS-S"',
    `PID: WS-C3650-24PS-S   , VID: V01  , SN: ${serial}`,
    '',
  ].join('\n');
}
