/**
 * Ubiquiti EdgeSwitch (Broadcom's Fastpath).
 *
 * Tried with: its simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches }`
 * Oddities: nothing marks the end for certain, so it is read twice; its blocks have to be closed by `exit`, though. The text can
 * be typed as it is, from the privileged mode. Host keys and certificates are not in it.
 * Source: EdgeSwitch CLI Command Reference (Ubiquiti), "System Information and Statistics", "Configuration Scripting"; recorded
 * sessions of users; RANCID's module edgemax.
 */
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup } from '../families/command-line/backup.ts';
import { linesOf, quoted } from '../families/command-line/text-reading.ts';
import { fastpath as dialect } from '../families/fastpath/fastpath.ts';

const value = String.raw`(?:encrypted )?("[^"]*"|'[^']*'|\S+)`;
/** Statements in which anything may be said. */
const free =
  'description |hostname |vlan name |set clibanner |snmp-server (?:sysname|location|contact) ';
const secrets: readonly SecretRule[] = [
  // `username "ubnt" password 8fb8… level 15 encrypted`, `enable password …`, `password … ` of a line.
  new RegExp(String.raw`^(?!${free})(?:.*\s)?(?:password|passphrase|secret) ${value}`),
  new RegExp(`^users passwd \\S+ ${value}`),
  new RegExp(
    String.raw`^(?:no )?snmp-server community (?:(?:ipaddr|ipmask|mode|ro|rw|view) (?:[\d.]+ )?)*${value}`,
  ),
  // Where traps go, with the community behind the address.
  /^snmp-server host \S+ (?:(?:traps|informs|version|1|2c?|udp-port \d+) )*(?!traps|informs|version)("[^"]+"|\S+)/,
  new RegExp(`^snmptrap ${value}`),
  /\b(?:auth|priv)-[\w-]+ ("[^"]*"|[0-9a-zA-Z]{8,})/,
  new RegExp(
    String.raw`^(?:radius|tacacs)-?\s?server (?:\S+ )*?key (?:(?:auth|acct) \S+ )?${value}`,
  ),
  new RegExp(String.raw`^\s*key (?!chain)${value}$`),
  new RegExp(
    String.raw`\b(?:authentication-key \d+ md5|message-digest-key \d+ md5|key-string|md5) ${value}`,
  ),
  new RegExp(`^ip ospf authentication (?:simple|encrypt) ${value}`),
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/@]+)@/i,
];

export function backup(): BackupModel {
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show startup-config',
    startupLike: withHeaderOf,
    serial: {
      commands: ['show version'],
      pattern: /^[ \t]*(?:System )?Serial Number\.+ ?(\S+)/m,
    },
    hostname: /^hostname "?([^"\n]+)"?\s*$/m,
    complete: {
      begins: [/^!Current Configuration:/, '!Current Configuration:'],
      has: [[/^configure$/m, 'configure']],
      ends: 'exit',
      other(text) {
        const open = openBlock(text);
        return open && `its block ${quoted(open)} is not closed`;
      },
    },
    volatile: [/^!System Up ?Time/i, /^!Current SNTP Syn\w+ Time/i],
    secrets,
    restore: { comment: '!', steps },
  });
}

/** Both begin with lines about the present, such as the time since the start. */
function withHeaderOf(running: Buffer, startup: Buffer): Buffer {
  const front = /^(?:\s*\n|!.*\n)*/;
  const [one, other] = [running, startup].map((bytes) => bytes.toString('latin1'));
  const [header = ''] = front.exec(one ?? '') ?? [];
  return Buffer.from(header + (other ?? '').replace(front, ''), 'latin1');
}

/** The innermost block that is left open, of those that are known; other ones may close what they like. */
function openBlock(text: string): string | undefined {
  const open: string[] = [];
  let isBanner = false;
  for (const line of text.split('\n')) {
    if (isBanner) isBanner = !line.includes('"');
    else if (/^set clibanner "[^"]*$/.test(line)) isBanner = true;
    else if (line === 'exit') open.pop();
    else if (isBlock(line, open)) open.push(line);
  }
  return open.at(-1);
}

function isBlock(line: string, open: readonly string[]): boolean {
  if (open.length === 0) return line === 'vlan database' || line === 'configure';
  return open.length === 1 && open[0] === 'configure' && /^(?:interface|line) \S/.test(line);
}

function steps(content: Buffer, { device: { name }, id, time }: RestoreAbout): RestoreStep[] {
  const lines = linesOf(content).filter((line) => line.trim() !== '' && !line.startsWith('!'));
  return [
    {
      title: `Go to the console of ${name}, and into the privileged mode: the next step takes away its address`,
      where: 'device',
      lines: ['enable'],
    },
    {
      title:
        'Make it forget what it is configured with; answer y. A switch from the factory need not',
      where: 'device',
      lines: ['clear config', 'y'],
    },
    {
      title: `Sign in as it asks for now, and type the version of ${time} (${id}) in the privileged mode`,
      where: 'device',
      lines: ['enable', ...lines],
    },
    {
      title: 'Save it, so that it boots with it; answer y',
      where: 'device',
      lines: ['write memory', 'y'],
    },
  ];
}
