/**
 * Cisco NX-OS: `host#`, `host(config-if)#`. Roles decide what one may do, so that most are privileged from the start; `host>`
 * is only there with `feature privilege`. A return comes before each prompt, and behind each echo.
 *
 * Sources: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide, "Understanding the Command-Line Interface"; System
 * Messages Reference for the form of log messages; error texts from sessions that gnetcli recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import type { BackupModel, RestoreAbout, RestoreStep } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { arpRow, cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { iosLike, iosLinks, iosMacRow } from '../families/command-line/ios-like.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';

export const nxos: Dialect = {
  ...iosLike,
  name: 'nxos',
  prompt: /^(?<base>[A-Za-z0-9][\w.@-]{0,62})(?:\([\w.:/+-]+\))?[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w.:/+-]+\\))?[>#]`,
  // `% Invalid command at '^' marker.`, `Invalid range at '^' marker.`, `% Permission denied for the role`
  errors: [
    /^% ?(?!warning)(?![A-Z0-9_]+-\d-[A-Z0-9_]+:)[A-Za-z]/i,
    /^(?:Invalid|Incomplete|Ambiguous) \w+ at '\^' marker/i,
    /^(?:ERROR|Syntax error|Command authorization failed|Access denied)\b/i,
  ],
  // `2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: …`; with several contexts `… nexus-1 %$ VDC-1 %$ %ETHPORT-5-IF_UP: …`
  noise: [
    /^\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ (?:%\$ VDC-\d+ %\$ )?%\w+(?:-\w+)*-\d-\w+: /,
  ],
};

/**
 * Cisco Nexus (NX-OS).
 *
 * Verified with: a recorded session, and its simulator, which RANCID and netmiko can also read.
 * rack.yaml: `switch-1: { model: nxos, address: 192.168.1.21, login: switches }`; the role network-admin, as others do not see
 * secrets.
 * Quirks: nothing marks the end, so it is read twice. Banners may hold any line. `snmp-server user` with `localizedkey` is taken
 * only by a switch with the same engine ID; host keys and certificates are not in it.
 * Source: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide, "Configuration Files"; Security Configuration Guide, "Configuring User
 * Accounts and RBAC".
 */

export function backup(): BackupModel {
  return cliBackup({
    dialect: nxos,
    running: 'show running-config',
    startup: 'show startup-config',
    serial: { commands: ['show inventory'], pattern: /^NAME: "Chassis".*\n.*\bSN: (\S+)/gm },
    hostname: /^(?:hostname|switchname) (\S+)/m,
    complete: {
      begins: [/^!Command: show running-config/, '!Command: show running-config'],
      has: [[/^version \S/m, 'version']],
    },
    questions: [
      {
        command: 'show user-account {user}',
        whole: /^[ \t]*roles:(?:.*\s)?(?:network|vdc)-admin(?!\S)/gm,
        part: /^[ \t]*roles:(.*\S)/gm,
        why: 'the login only has the role $1',
      },
    ],
    volatile: [
      // Differs between the saved and the active configuration.
      /^!Command: /,
      /^!Time: /,
      /^!Running configuration last done at: /,
      /^!Startup config saved at: /,
      /^!No configuration change since last restart/,
      /^\s*$/,
    ],
    restore: { comment: '!', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    onDevice(
      `Enter the version on ${name} in configuration mode. Settings that the version does not contain are kept; to get exactly this version, reset the switch to factory settings first (write erase, reload). The version does not contain host keys or certificates, and its SNMPv3 users require the same engine ID`,
      ['configure terminal', ...statements(content, /^(?:!.*|version .*|\s*)$/, bannerEnd), 'end'],
    ),
    onDevice('Save the configuration as the startup configuration', [
      'copy running-config startup-config',
    ]),
  ];
}

/** `banner motd #`: the sign ends it, even on the same line. */
function bannerEnd(line: string): RegExp | undefined {
  const [, sign, rest = ''] = /^banner \w+ (\S)(.*)$/.exec(line) ?? [];
  if (sign === undefined || rest.includes(sign)) return undefined;
  return new RegExp(`${escapePattern(sign)}$`);
}

/**
 * Cisco NX-OS: MAC table, links and ARP table of the command line.
 *
 * Verified with: recordings of real switches, and our simulator. Gateways and what the supervisor answers for are its own.
 * Source: Cisco Nexus 9000 Series NX-OS Command Reference, `show mac address-table`, `show interface status`, `show ip arp`.
 */
export const connectedHosts = cliConnectedHosts({
  dialect: nxos,
  macs: {
    command: 'show mac address-table',
    header: /^[ \t]*vlan(?:\/bd)?\s+mac address\s+type/im,
    row: iosMacRow,
    own: /^\s*G\b|\ssup-eth\S*\s*$/,
  },
  links: iosLinks('show interface status'),
  arp: { command: 'show ip arp', header: /^Address\s+Age/m, row: arpRow },
});
