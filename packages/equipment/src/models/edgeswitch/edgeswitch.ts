/**
 * Ubiquiti EdgeSwitch: PoE ports, in Fastpath's command line over ssh or telnet.
 *
 *     switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches, portCount: 24 }
 *     logins: { switches: { username: ubnt, password: { file: secrets/switch }, enablePassword: …, legacySsh: true } }
 *
 * Verified with: our simulator, which netmiko (2.4.2, `ubiquiti_edgeswitch`) drives: off, auto and reset over ssh, off and passive24v over
 * telnet, each read back. Sign-in, `enable`, pager, modes and prompts match netmiko's; it only passes on the PoE commands and tables, which
 * are from the sources below.
 *
 * The setting is read from `show poe port`, if the firmware has it, otherwise from `show running-config interface`. Whether power flows is
 * read from `show poe status`, whose rows are parsed from the right, because Detection is one or two words and newer firmware has another
 * column. While the switch itself resets a port, it is set to auto and reads `Disabled`, which counts as off.
 *
 * Nothing is saved: after a reboot, the switch's ports are as in its configuration, which is on.
 *
 * Sources: EdgeSwitch CLI command reference, "Power over Ethernet commands"; sessions recorded by users.
 */
import type { BackupModel, RestoreAbout, RestoreStep } from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver } from '../contract/outlets.ts';
import { cliBackup } from '../families/command-line/backup.ts';
import { cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { cliOf } from '../families/command-line/session.ts';
import { linesOf, quoted } from '../families/command-line/text-reading.ts';
import { fastpath as dialect, fastpath } from '../families/fastpath/fastpath.ts';
import { fastpathModes, readFastpath, resetPort, setFastpath } from '../families/fastpath/poe.ts';
import { macPattern } from '../families/mac-address.ts';

export const outlets = driverKind({ model: 'edgeswitch', automaticRepair: true, create });

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const use = cliOf(device, deps, fastpath);

  /** `14` is `0/14`; on a stack, it is written in full. */
  function interfaceOf(outlet: string): string {
    return outlet.includes('/') ? outlet : `0/${outlet}`;
  }

  return {
    key: interfaceOf,
    isMode: (mode) => fastpathModes.has(mode),
    read: (ports, signal) => use((cli) => readFastpath(cli, ports, signal), signal),
    set: (port, state, signal, mode) => use((cli) => setFastpath(cli, port, state, mode), signal),
    cycle: {
      offSeconds: { least: 1, most: 60, whole: true },
      run: (port, offSeconds, signal) => use((cli) => resetPort(cli, port, offSeconds), signal),
    },
  };
}

/**
 * Ubiquiti EdgeSwitch (Broadcom's Fastpath).
 *
 * Verified with: its simulator only, which RANCID and netmiko can also read.
 * rack.yaml: `switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches }`
 * Quirks: no reliable end mark, so it is read twice; but its blocks must be closed by `exit`. The text can be typed unchanged in the
 * privileged mode. It does not include host keys and certificates.
 * Source: EdgeSwitch CLI Command Reference (Ubiquiti), "System Information and Statistics", "Configuration Scripting"; recorded sessions of
 * users; RANCID's module edgemax.
 */

export function backup(): BackupModel {
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show startup-config',
    startupLike: withHeaderOf,
    serial: {
      commands: ['show version'],
      pattern: /^[ \t]*(?:System )?Serial Number\.+ ?(\S+)/gm,
    },
    hostname: /^hostname "?([^"\n]*[^"\s])/m,
    complete: {
      begins: [/^!Current Configuration:/, '!Current Configuration:'],
      has: [[/^configure$/m, 'configure']],
      ends: 'exit',
      other(text) {
        const open = openBlock(text);
        return open && `the block ${quoted(open)} is not closed`;
      },
    },
    volatile: [/^!System Up ?Time/i, /^!Current SNTP Syn\w+ Time/i],
    restore: { comment: '!', steps },
  });
}

/** Both begin with volatile lines, such as the uptime. */
function withHeaderOf(running: Buffer, startup: Buffer): Buffer {
  const front = /^(?:\s*\n|!.*\n)*/;
  const [one, other] = [running, startup].map((bytes) => bytes.toString('latin1'));
  const [header = ''] = front.exec(one ?? '') ?? [];
  return Buffer.from(header + (other ?? '').replace(front, ''), 'latin1');
}

/** The innermost unclosed block of a known kind; other kinds may close anything. */
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
    onDevice(
      `Open the serial console of ${name}, and enter privileged mode. The next step removes the switch's address`,
      ['enable'],
    ),
    onDevice('Erase the configuration, and answer y. Skip this step on a new switch', [
      'clear config',
      'y',
    ]),
    onDevice(
      `Sign in with the credentials that the switch now requires, and enter the version from ${time} (${id}) in privileged mode`,
      ['enable', ...lines],
    ),
    onDevice('Save the configuration as the startup configuration, and answer y', [
      'write memory',
      'y',
    ]),
  ];
}

/**
 * Ubiquiti EdgeSwitch (Fastpath): MAC table and links of the command line.
 *
 * Verified with: our simulator only, whose MAC table has the form of recorded sessions. An interface name may have two words, `vlan 50`.
 * Source: EdgeSwitch CLI Command Reference, `show mac-addr-table`, `show port`.
 */
export const connectedHosts = cliConnectedHosts({
  dialect,
  macs: {
    command: 'show mac-addr-table',
    header: /^VLAN ID\s+MAC Address\s+Interface/m,
    row: new RegExp(
      String.raw`^\s*(?<vlan>\d+)\s+(?<mac>${macPattern})\s+(?<port>\S+(?: \S+)?)\s+\d+\s+\w`,
    ),
    own: /\s(?:Management|Self)\b/,
  },
  links: {
    command: 'show port all',
    header: /^Intf\s+Type\s+Mode/m,
    row: /^(?<port>(?:\d+\/)*\d+)\s.*\s(?<link>Up|Down)\s/,
  },
});
