/**
 * Arista switches (EOS).
 *
 * Tried with: its simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `switch-1: { model: eos, address: 192.168.1.22, login: switches }`; privilege 15, or an `enablePassword` in the login.
 * Oddities: banners may hold any line, but `EOF`. No last line or size proves it complete, so it is read twice. Certificates, extensions and
 * the boot image are not in it; the engine ID of SNMPv3 is.
 * Source: Arista EOS User Manual, "Switch Administration" (configuration files and sessions).
 */
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { eos as dialect } from './dialect.ts';

/** How long a restored configuration is given before it undoes itself. */
const confirmWithin = '00:10:00';
const session = 'skolo-restore';

/** What says how a secret is written. */
const kind = `(?:(?:0|5|7|8a|sha512|encrypted|text|hex) )?`;

const secrets: readonly SecretRule[] = [
  new RegExp(String.raw`\b(?:password|secret|passphrase) ${kind}("[^"]*"|\S+)`),
  new RegExp(String.raw`^(?:tacacs|radius|ldap)-server .*?\bkey ${kind}(\S+)`),
  new RegExp(String.raw`\bradsec .*?\bkey ${kind}(\S+)`),
  new RegExp(String.raw`\b(?:authentication-key|shared-secret|key-string) ${kind}(\S+)`),
  new RegExp(String.raw`\bmessage-digest-key \d+ \S+ ${kind}(\S+)`),
  new RegExp(String.raw`\bauthentication (?:key|text|md5 key-string) ${kind}(\S+)`),
  // MACsec: its name, how it is written, the key.
  new RegExp(String.raw`^\s+key [0-9a-f]{2,64} ${kind}(\S+)(?: fallback)?$`),
  new RegExp(String.raw`^ntp authentication-key \d+ \S+ ${kind}(\S+)`),
  /^snmp-server community (\S+)/,
  /^snmp-server host \S+ (?:vrf \S+ )?(?:(?:traps|informs) )?version (?:1|2c) (\S+)/,
  /^snmp-server user .*?\bauth \S+ (\S+)/,
  /^snmp-server user .*?\bpriv \S+ (\S+)/,
  /[a-z]:\/\/[^\s/:@]*:([^\s/@]+)@/,
  /(\$\d\$[^\s"]+)/,
];

export function backup(): BackupModel {
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show startup-config',
    serial: { commands: ['show version'], pattern: /^Serial number: +(\S+)/m },
    hostname: /^hostname (\S+)/m,
    complete: {
      begins: [/^! Command: show running-config/, '! Command: show running-config'],
      has: [[/^! device: /m, '! device:']],
      ends: 'end',
    },
    volatile: [
      /^! Time: /,
      // It differs between the saved configuration and the one in force.
      /^! Command: /,
      /^! Startup-config last modified at /,
    ],
    secrets,
    restore: { comment: '!', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `Type it into ${name}, as a session that begins empty: it becomes exactly the version, and has its former configuration again after ten minutes unless you confirm it. Not in it: certificates, extensions and images in flash:`,
      where: 'device',
      lines: [
        'enable',
        `configure session ${session}`,
        'rollback clean-config',
        // The last `end` would leave the session.
        ...statements(content, /^(?:!.*|end|\s*)$/, (line) =>
          /^banner (?:motd|login)$/.test(line) ? /^EOF$/ : undefined,
        ),
        `commit timer ${confirmWithin}`,
      ],
    },
    {
      title: 'Once it can be reached: confirm it, and save it, so that it boots with it',
      where: 'device',
      lines: [`configure session ${session} commit`, 'write memory'],
    },
  ];
}
