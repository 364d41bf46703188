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
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { procurve as dialect } from './dialect.ts';

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
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show config',
    serial: {
      // Each half of the models knows one of these.
      commands: ['show system information', 'show system-information'],
      pattern: /\bSerial Number +: +(\w+)/,
    },
    hostname: /^hostname "?([^"\r\n]+)/m,
    complete: {
      has: [
        [/^; (?:\S+ )+Configuration Editor; /m, '; … Configuration Editor; …'],
        [/^hostname /m, 'hostname'],
      ],
    },
    // These lines differ between the saved configuration and the one in force.
    volatile: [/^\s*$/, /^(?:Running|Startup) configuration:/],
    secrets,
    restore: { comment: ';', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `Type it into ${name} in configuration mode. What is there stays where the version says nothing of it: on a switch that is fresh from the factory (erase startup-config) it becomes exactly the version. Not in it: host keys and certificates, and without include-credentials passwords, keys and SNMPv3 users`,
      where: 'device',
      lines: [
        'configure',
        ...statements(content, /^(?:;.*|Running configuration:|\s*)$/, (line) =>
          /^banner \w+ "[^"]*$/.test(line) ? /"/ : undefined,
        ),
        'exit',
      ],
    },
    {
      title: 'Save it, so that it boots with it',
      where: 'device',
      lines: ['write memory'],
    },
  ];
}
