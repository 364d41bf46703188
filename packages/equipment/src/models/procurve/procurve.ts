/**
 * HP ProCurve and ArubaOS-S: `name>`, `name#`, `name(vlan-10)#`; a name may have blanks in it. Everything is painted with
 * VT100 sequences on the last line of the terminal, after a screen that waits for any key. `enable` asks for a name and a
 * password, for one of them, or for none. Newer firmware turns its pager off; the others are answered page by page. `logout` asks twice, and
 * is left at that: an answer to the wrong question would save the configuration.
 *
 * Sources: ArubaOS-Switch Management and Configuration Guide, "Using the Command Line Interface"; Oxidized's, netmiko's and RANCID's
 * notes; a session that a user recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import type { BackupModel, RestoreAbout, RestoreStep } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { procurvePager } from '../families/command-line/pagers.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { macPattern } from '../families/mac-address.ts';

export const procurve: Dialect = {
  name: 'procurve',
  prompt: /^(?<base>[A-Za-z0-9][\w.@/+ -]{0,63}?)(?:\([\w./ -]+\))? ?[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w./ -]+\\))? ?[>#]`,
  privilege: {
    has: (prompt) => prompt.endsWith('#'),
    command: 'enable',
    usualName: 'manager',
  },
  setUp: ['no page'],
  pagers: [procurvePager],
  errors: [
    /^(?:Invalid|Incomplete|Ambiguous) input:/i,
    /^(?:Not authorized|Unable to|Error|Access denied|Command authorization failed)\b/i,
  ],
  // `I 11/20/26 10:37:49 00076 ports: port 1 is now on-line`
  noise: [/^[A-Z] \d\d\/\d\d\/\d\d \d\d:\d\d:\d\d \d{5} \S+: /],
  signOut: ['logout'],
};

/**
 * HP ProCurve and ArubaOS-S switches.
 *
 * Verified with: its simulator only, which RANCID and netmiko can also read.
 * rack.yaml: `switch-1: { model: procurve, address: 192.168.1.24, login: switches }`; a manager, or an operator with the manager's
 * password as `enablePassword` (its name is then that of the login, or `manager`).
 * Quirks: nothing marks the end, so it is read twice. Passwords, keys and SNMPv3 users are only in it where `include-credentials` is
 * set. Firmware that always pages is answered page by page.
 * Source: ArubaOS-Switch Management and Configuration Guide for 16.x, "Switch Memory and Configuration".
 */

export function backup(): BackupModel {
  return cliBackup({
    dialect: procurve,
    running: 'show running-config',
    startup: 'show config',
    serial: {
      // Each is known to half of the models.
      commands: ['show system information', 'show system-information'],
      pattern: /\bSerial Number +: +(\w+)/g,
    },
    hostname: /^hostname "?([^"\r\n]+)/m,
    complete: {
      has: [
        [/^; (?:\S+ )+Configuration Editor; /m, '; … Configuration Editor; …'],
        [/^hostname /m, 'hostname'],
      ],
    },
    // These lines differ between the saved and the active configuration.
    volatile: [/^\s*$/, /^(?:Running|Startup) configuration:/],
    restore: { comment: ';', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    onDevice(
      `Enter the version on ${name} in configuration mode. Settings that the version does not contain are kept; to get exactly this version, reset the switch to factory settings first (erase startup-config). The version does not contain host keys or certificates, and contains passwords, keys and SNMPv3 users only if include-credentials is set`,
      [
        'configure',
        ...statements(content, /^(?:;.*|Running configuration:|\s*)$/, (line) =>
          /^banner \w+ "[^"]*$/.test(line) ? /"/ : undefined,
        ),
        'exit',
      ],
    ),
    onDevice('Save the configuration as the startup configuration', ['write memory']),
  ];
}

/**
 * HP ProCurve and ArubaOS-S: port address table and links of the command line.
 *
 * Verified with: recordings of real switches, and our simulator. Older firmware prints no VLANs. A port in a trunk is `23-Trk1` among the links, and the trunk's
 * addresses are at `Trk1`.
 * Source: ArubaOS-Switch Management and Configuration Guide, "Monitoring and Analyzing Switch Operation"; sessions of users.
 */
export const connectedHosts = cliConnectedHosts({
  dialect: procurve,
  macs: {
    command: 'show mac-address',
    header: /Port Address Table/,
    row: new RegExp(String.raw`^\s*(?<mac>${macPattern})\s+(?<port>\S+)(?:\s+(?<vlan>\d+))?`),
  },
  links: {
    command: 'show interfaces brief',
    header: /Status and Counters - Port Status/,
    row: /^\s*(?<port>\S+?)\*?(?:-Trk\d+)?\s.*\|\s+\S+\s+(?:Yes|No)\s+(?<link>Up|Down)\b/,
  },
});
