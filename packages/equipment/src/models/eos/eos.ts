/**
 * Arista EOS: `host>`, `host#`, `host(config-if-Et1)#`, in a redundant pair `host(s1)#`. `enable` only asks for a password if one is set.
 * The terminal is probed before the first prompt; no answer is required.
 *
 * Sources: Arista EOS User Manual, "Command-Line Interface" and "Logging" for the form of log messages; error texts from sessions that
 * gnetcli recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import type { BackupModel, RestoreAbout, RestoreStep } from '../contract/backup.ts';
import { cliBackup, statements } from '../families/command-line/backup.ts';
import { arpRow, cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { iosLike, iosLinks } from '../families/command-line/ios-like.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { macPattern } from '../families/mac-address.ts';

export const eos: Dialect = {
  ...iosLike,
  name: 'eos',
  prompt: /^(?<base>[A-Za-z0-9][\w.-]{0,62})(?:\([\w.:/+-]+\)){0,2}[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w.:/+-]+\\)){0,2}[>#]`,
  // `% Invalid input (at token 1: 'x')`, `%% Please use …`; not `% Writing 0 Arp … to the database`
  errors: [/^%%? (?!warning|writing)[A-Za-z]/i, /^(?:Error|Access denied)\b/i],
  // `Nov 20 10:37:49 arista-1 Ebra: %LINEPROTO-5-UPDOWN: …`
  noise: [/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w.-]+(?:\[\d+\])?: %\w+(?:-\w+)*-\d-\w+: /],
};

/**
 * Arista switches (EOS).
 *
 * Verified with: a recorded session, and its simulator, which RANCID and netmiko can also read.
 * rack.yaml: `switch-1: { model: eos, address: 192.168.1.22, login: switches }`; privilege 15, or an `enablePassword` in the login.
 * Quirks: banners may contain any line except `EOF`. No last line or size shows that the configuration is complete, so it is read twice. It
 * does not include certificates, extensions and the boot image, but includes the SNMPv3 engine ID.
 * Source: Arista EOS User Manual, "Switch Administration" (configuration files and sessions).
 */

/** How long until a restored configuration is rolled back automatically. */
const confirmWithin = '00:10:00';
const session = 'skolo-restore';

export function backup(): BackupModel {
  return cliBackup({
    dialect: eos,
    running: 'show running-config',
    startup: 'show startup-config',
    serial: { commands: ['show version'], pattern: /^Serial number: +(\S+)/gm },
    hostname: /^hostname (\S+)/m,
    complete: {
      // The first line is missing if a filter left it out.
      begins: [/^! (?:Command: show running-config|device: )/, '! Command: show running-config'],
      has: [[/^! device: /m, '! device:']],
      ends: 'end',
    },
    volatile: [
      /^! Time: /,
      // Differs between the saved and the active configuration.
      /^! Command: /,
      /^! Startup-config last modified at /,
    ],
    restore: { comment: '!', steps },
  });
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    onDevice(
      `Enter the version on ${name} in a configuration session that starts empty. The switch then has exactly this configuration, and rolls it back after ten minutes unless you confirm it. The version does not contain certificates, extensions or images`,
      [
        'enable',
        `configure session ${session}`,
        'rollback clean-config',
        // The last `end` would leave the session.
        ...statements(content, /^(?:!.*|end|\s*)$/, (line) =>
          /^banner (?:motd|login)$/.test(line) ? /^EOF$/ : undefined,
        ),
        `commit timer ${confirmWithin}`,
      ],
    ),
    onDevice(
      'If the switch is reachable, confirm the version, and save it as the startup configuration',
      [`configure session ${session} commit`, 'write memory'],
    ),
  ];
}

/**
 * Arista EOS: MAC table, links and ARP table of the command line.
 *
 * Verified with: recordings of real switches (links, ARP), and our simulator. The table of multicast addresses follows the other one, and is skipped because of its addresses.
 * Source: Arista EOS User Manual, "Data Plane Structures" (`show mac address-table`), "Ethernet Ports", "ARP and IPv6".
 */
export const connectedHosts = cliConnectedHosts({
  dialect: eos,
  macs: {
    command: 'show mac address-table',
    header: /^Vlan\s+Mac Address\s+Type/im,
    row: new RegExp(String.raw`^\s*(?<vlan>\d+)\s+(?<mac>${macPattern})\s+\w+\s+(?<port>\S+)`),
    own: /\s(?:Cpu|Router|Vl\d+)\b/,
  },
  links: iosLinks('show interfaces status'),
  arp: { command: 'show ip arp', header: /^Address\s+Age/m, row: arpRow },
});
