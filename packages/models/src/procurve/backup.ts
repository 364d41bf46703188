/**
 * HP ProCurve and ArubaOS-S switches.
 *
 * Tried with: its simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `switch-1: { model: procurve, address: 192.168.1.24, login: switches }`; a manager, or an operator with the manager's
 * password as `enablePassword` (its name is then that of the login, or `manager`).
 * Oddities: nothing marks the end, so it is read twice. Passwords, keys and SNMPv3 users are only in it where `include-credentials` is
 * set. Firmware that always pages is answered page by page.
 * Source: ArubaOS-Switch Management and Configuration Guide for 16.x, "Switch Memory and Configuration".
 */

import type { DeviceConnection } from '@skolo/equipment';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../backup.ts';
import { given, ifAllowed, linesOf, plainText } from '../families/text-reading.ts';
import { procurve as dialect } from './dialect.ts';

const editor = /^; (?:\S+ )+Configuration Editor; /m;

const value = String.raw`("[^"]*"|\S+)`;
const secrets: readonly SecretRule[] = [
  new RegExp(
    String.raw`^\s*(?:local-user .*?)?password .*?\b(?:plaintext|sha1|sha256|sha-256) ${value}`,
  ),
  new RegExp(
    String.raw`^(?:radius|tacacs)-server .*?\b(?:encrypted-key|key) (?!oobm\b|time-window\b)${value}`,
  ),
  new RegExp(String.raw`\b(?:encrypted-)?key-(?:value|string) ${value}`),
  new RegExp(String.raw`\b(?:authentication-key|md5-auth-key|secret|passphrase|psk) ${value}`),
  new RegExp(`^snmp-server community ${value}`),
  /^snmp-server host \S+ (?:community )?("[^"]*"|(?!community|informs)\S+)/,
  new RegExp(String.raw`^snmpv3 user .*?\bauth (?:md5 |sha )?${value}`),
  new RegExp(String.raw`^snmpv3 user .*?\bpriv (?:des |aes )?${value}`),
  new RegExp(String.raw`^snmpv3 (?:community|targetaddress) .*?\bname ${value}`),
  new RegExp(String.raw`^stack member .*?\bpassword ${value}`),
  /[a-z]:\/\/[^\s/:@]*:([^\s/@]+)@/,
];

export function backup(): BackupModel {
  return {
    name: 'procurve',
    format: 'text',
    read,
    proof: 'twice',
    incomplete,
    messages: dialect.noise,
    // What tells the saved one from the running one.
    volatile: [/^\s*$/, /^(?:Running|Startup) configuration:/],
    secrets,
    restore: { comment: ';', steps },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const cli = await connection.cli(dialect);
  const bytes = await cli.read('show running-config');
  const startup = await ifAllowed(cli.read('show config'));
  const system = await serialOf((command) => ifAllowed(cli.run(command)));
  const hostname = /^hostname "?([^"\r\n]+)/m.exec(bytes.toString())?.[1];
  return {
    content: { bytes },
    identity: { ...given('serial', system), ...given('hostname', hostname) },
    ...(startup && { startup }),
  };
}

/** Each half of the models knows one of these. */
async function serialOf(
  ask: (command: string) => Promise<Buffer | undefined>,
): Promise<string | undefined> {
  for (const command of ['show system information', 'show system-information']) {
    const said = (await ask(command))?.toString() ?? '';
    const serial = /\bSerial Number +: +(\w+)/.exec(said)?.[1];
    if (serial !== undefined) return serial;
  }
  return undefined;
}

function incomplete(content: Content): string | undefined {
  const text = plainText(content);
  if (!editor.test(text)) return 'it has no line "; … Configuration Editor; …"';
  if (!/^hostname /m.test(text)) return 'it has no line "hostname"';
  return undefined;
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `Type it into ${name} in configuration mode. What is there stays where the version says nothing of it: on a switch that is fresh from the factory (erase startup-config) it becomes exactly the version. Not in it: host keys and certificates, and without include-credentials passwords, keys and SNMPv3 users`,
      where: 'device',
      lines: ['configure', ...statements(linesOf(content)), 'exit'],
    },
    {
      title: 'Save it, so that it boots with it',
      where: 'device',
      lines: ['write memory'],
    },
  ];
}

/** Without what is said around them, and without comments, but for what a banner holds. */
function statements(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let isInBanner = false;
  for (const line of lines) {
    if (isInBanner) {
      kept.push(line);
      isInBanner = !line.includes('"');
    } else if (!/^(?:;.*|Running configuration:|\s*)$/.test(line)) {
      kept.push(line);
      isInBanner = /^banner \w+ "[^"]*$/.test(line);
    }
  }
  return kept;
}
