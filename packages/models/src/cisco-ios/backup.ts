/**
 * Cisco IOS and IOS-XE switches and routers.
 *
 * Tried with: their simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `switch-1: { model: cisco-ios, address: 192.168.1.12, login: switches }`; privilege 15, or an `enablePassword`, as
 * others see only a part.
 * Oddities: it reports the size of what it shows, and `end` is its last line. Where its size is another one, it is read twice. Some
 * lines are new each time. VLANs are not in it
 * where VTP has them (vlan.dat), nor keys for ssh. What is saved is shown with another first line.
 * Source: Cisco IOS Configuration Fundamentals, "Managing Configuration Files", "Configuration Replace and Configuration
 * Rollback"; "Cisco IOS Scripting with Tcl"; RANCID's module ios.
 */

import type { DeviceConnection } from '@skolo/equipment';
import type { BackupModel, Content, Reading } from '../backup.ts';
import type { Device } from '../device.ts';
import { given, ifAllowed, lastLine, plainText, quoted } from '../families/text-reading.ts';
import { ciscoIos as dialect } from './dialect.ts';
import { ciscoIosSecrets } from './secrets.ts';
import { steps } from './steps.ts';

/** In front of what is shown, up to its size. */
const front = /^\s*(?:Building configuration\.\.\.\s+)?(?:Current configuration|Using)\b.*\n/;
/** What its size and ours may differ by, as nobody says what it counts: line ends, the empty ones around it. */
const leastShare = 0.9;

export function backup({ name }: Device): BackupModel {
  return {
    name: 'cisco-ios',
    format: 'text',
    read,
    proof: 'twice',
    isExact,
    startupLike,
    incomplete,
    messages: dialect.noise,
    volatile: [
      /^Building configuration\.\.\./,
      /^Current configuration ?: \d+ bytes/,
      /^! (?:Last configuration change|NVRAM config last updated|No configuration change since)/,
      /^ntp clock-period \d+/,
      // Where it is set by auto-bw, which is nearly everywhere.
      /^ tunnel mpls traffic-eng bandwidth (?:sub-pool )?\d+\s*$/,
    ],
    secrets: ciscoIosSecrets,
    restore: { comment: '!', steps: (content, about) => steps(content, about, name) },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const cli = await connection.cli(dialect);
  const bytes = await cli.read('show running-config');
  const startup = await ifAllowed(cli.read('show startup-config'));
  const version = (await ifAllowed(cli.run('show version')))?.toString() ?? '';
  const text = bytes.toString('latin1');
  const serial = /^Processor board ID (\S+)/m.exec(version)?.[1];
  const hostname = /^hostname (\S+)/m.exec(text)?.[1];
  const [, time, who] = /^! Last configuration change at (.*?) by (\S+)/m.exec(text) ?? [];
  return {
    content: { bytes },
    identity: { ...given('serial', serial), ...given('hostname', hostname) },
    ...(startup && { startup }),
    ...given('changedBy', who && `${who}, ${time}`),
  };
}

/** With the first lines of the other. A switch that was never saved says so, and boots with nothing. */
function startupLike(content: Buffer, startup: Buffer): Buffer {
  const running = content.toString('latin1');
  const text = startup.toString('latin1');
  if (!/^end\s*$/m.test(text)) return Buffer.alloc(0);
  const [first = ''] = front.exec(running) ?? [];
  // Of a certificate it only says where it keeps it.
  const body = text
    .replace(front, '')
    .replace(/^( certificate .*?) nvram:\S+\n/gm, (line, begin) => {
      const at = running.indexOf(`${begin}\n`);
      const end = running.indexOf('quit\n', at);
      return at < 0 || end < 0 ? line : running.slice(at, end + 'quit\n'.length);
    });
  return Buffer.from(first + body, 'latin1');
}

function incomplete(content: Content): string | undefined {
  const text = plainText(content);
  const [first] = front.exec(text) ?? [];
  if (first === undefined) return 'it does not begin with "Current configuration"';
  const last = lastLine(text);
  if (last !== 'end') return `its last line is ${quoted(last)}, not "end"`;
  const { told, size } = sizesOf(text, first);
  if (size < told * leastShare) return `it has ${size} bytes, and was said to have ${told}`;
  return undefined;
}

function isExact(content: Content): boolean {
  const text = plainText(content);
  const [first] = front.exec(text) ?? [];
  if (first === undefined) return false;
  const { told, size } = sizesOf(text, first);
  return told === size;
}

/** What the device reports, and what came. */
function sizesOf(text: string, first: string): { told: number; size: number } {
  const told = Number(/: (\d+) bytes/.exec(first)?.[1] ?? 0);
  return { told, size: text.length - first.length };
}
