/**
 * Cisco Nexus (NX-OS).
 *
 * Tried with: its simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `switch-1: { model: nxos, address: 192.168.1.21, login: switches }`; the role network-admin, as others do not see
 * secrets.
 * Oddities: nothing marks the end, so it is read twice. Banners may hold any line. `snmp-server user` with `localizedkey` is taken
 * only by a switch with the same engine ID; host keys and certificates are not in it.
 * Source: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide, "Configuration Files".
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
import { nxos as dialect } from './dialect.ts';

const header = '!Command: show running-config';

export const nxosSecrets: readonly SecretRule[] = [
  // `username admin password 5 $5$…`, `password 3 …` of a BGP neighbor, LDAP, macsec.
  /\b(?:password|secret|key-octet-string) (?!strength-check)(?:\d+ )?(".*?"|\S+)/,
  /^(?:tacacs|radius|ldap)-server .*?\bkey (?:\d+ )?(".*?"|\S+)/,
  /\bkey-string (?:\d+ )?(".*?"|\S+)/,
  /\bauthentication text (\S+)/,
  /^\s*ip(?:v6)? (?:ospf|eigrp|rip) .*?\b(?:authentication-key|md5) (?:\d+ )?(\S+)$/,
  /\bmessage-digest-key \d+ md5 (?:\d+ )?(\S+)/,
  /\bauthentication-key (?!\d+ md5)(?:\d+ )?(\S+)/,
  /^ntp authentication-key \d+ \S+ (\S+)/,
  /^snmp-server community (\S+)/,
  /^snmp-server host \S+ (?:(?:traps|informs) )?version (?:1|2c) (\S+)/,
  /^snmp-server host \S+ (?!traps|informs|version|use-vrf|filter-vrf|source-interface)(\S+)/,
  /^snmp-server user .*?\bauth \S+ (\S+)/,
  /^snmp-server user .*?\bpriv (?:aes-128 |des )?(\S+)/,
  /^snmp-server mib community-map (\S+)/,
  /[a-z]:\/\/[^\s/:@]*:([^\s/@]+)@/,
  /(\$\d\$[^\s"]+)/,
];

export function backup(): BackupModel {
  return {
    name: 'nxos',
    format: 'text',
    read,
    proof: 'twice',
    incomplete,
    messages: dialect.noise,
    volatile: [
      // Also what tells the saved one from the running one.
      /^!Command: /,
      /^!Time: /,
      /^!Running configuration last done at: /,
      /^!Startup config saved at: /,
      /^!No configuration change since last restart/,
      /^\s*$/,
    ],
    secrets: nxosSecrets,
    restore: { comment: '!', steps },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const cli = await connection.cli(dialect);
  const bytes = await cli.read('show running-config');
  const startup = await ifAllowed(cli.read('show startup-config'));
  const inventory = (await ifAllowed(cli.run('show inventory')))?.toString() ?? '';
  const serial = /^NAME: "Chassis".*\n.*\bSN: (\S+)/m.exec(inventory)?.[1];
  const hostname = /^(?:hostname|switchname) (\S+)/m.exec(bytes.toString())?.[1];
  return {
    content: { bytes },
    identity: { ...given('serial', serial), ...given('hostname', hostname) },
    ...(startup && { startup }),
  };
}

function incomplete(content: Content): string | undefined {
  const text = plainText(content);
  if (!text.trimStart().startsWith(header)) return `it does not begin with "${header}"`;
  if (!/^version \S/m.test(text)) return 'it has no line "version"';
  return undefined;
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `Type it into ${name} in configuration mode. What is there stays where the version says nothing of it: on a switch that is fresh from the factory (write erase, reload) it becomes exactly the version. Not in it: host keys, certificates; SNMPv3 users need the same engine ID`,
      where: 'device',
      lines: ['configure terminal', ...statements(linesOf(content)), 'end'],
    },
    {
      title: 'Save it, so that it boots with it',
      where: 'device',
      lines: ['copy running-config startup-config'],
    },
  ];
}

/** Without what is said around them, and without comments, but for what a banner holds. */
function statements(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let delimiter: string | undefined;
  for (const line of lines) {
    if (delimiter !== undefined) {
      kept.push(line);
      if (line.endsWith(delimiter)) delimiter = undefined;
    } else if (!/^(?:!.*|version .*|\s*)$/.test(line)) {
      kept.push(line);
      const [, begun, rest = ''] = /^banner \w+ (\S)(.*)$/.exec(line) ?? [];
      if (begun !== undefined && !rest.includes(begun)) delimiter = begun;
    }
  }
  return kept;
}
