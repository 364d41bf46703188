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
import { escapePattern } from '@skolo/equipment';
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { nxos as dialect } from './dialect.ts';

const secrets: readonly SecretRule[] = [
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
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show startup-config',
    serial: { commands: ['show inventory'], pattern: /^NAME: "Chassis".*\n.*\bSN: (\S+)/m },
    hostname: /^(?:hostname|switchname) (\S+)/m,
    complete: {
      begins: [/^!Command: show running-config/, '!Command: show running-config'],
      has: [[/^version \S/m, 'version']],
    },
    volatile: [
      // It differs between the saved configuration and the one in force.
      /^!Command: /,
      /^!Time: /,
      /^!Running configuration last done at: /,
      /^!Startup config saved at: /,
      /^!No configuration change since last restart/,
      /^\s*$/,
    ],
    secrets,
    restore: { comment: '!', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `Type it into ${name} in configuration mode. What is there stays where the version says nothing of it: on a switch that is fresh from the factory (write erase, reload) it becomes exactly the version. Not in it: host keys, certificates; SNMPv3 users need the same engine ID`,
      where: 'device',
      lines: [
        'configure terminal',
        ...statements(content, /^(?:!.*|version .*|\s*)$/, bannerEnd),
        'end',
      ],
    },
    {
      title: 'Save it, so that it boots with it',
      where: 'device',
      lines: ['copy running-config startup-config'],
    },
  ];
}

/** `banner motd #`: the sign ends it, unless it ends in the same line. */
function bannerEnd(line: string): RegExp | undefined {
  const [, sign, rest = ''] = /^banner \w+ (\S)(.*)$/.exec(line) ?? [];
  if (sign === undefined || rest.includes(sign)) return undefined;
  return new RegExp(`${escapePattern(sign)}$`);
}
