/**
 * Cisco IOS and IOS-XE switches and routers.
 *
 * Verified with: recorded sessions, and their simulator, which RANCID and netmiko can also read.
 * rack.yaml: `switch-1: { model: cisco-ios, address: 192.168.1.12, login: switches }`; requires privilege 15, or privilege 1 with an
 * `enablePassword`: a lower level and a parser view are shown what they may set, with a size and an end as always.
 * Quirks: the device reports the size of its output, and the last line is `end`. If the size differs, the configuration is read twice.
 * Some lines change each time. VLANs are not included if VTP manages them (vlan.dat), nor are ssh keys. The saved configuration is shown
 * with a different first line.
 * Source: Cisco IOS Configuration Fundamentals, "Managing Configuration Files", "Configuration Replace and Configuration Rollback"; "Cisco
 * IOS Scripting with Tcl"; "Role-Based CLI Access" for `show parser view`; Cisco's note on privilege levels and `show running-config`;
 * RANCID's module ios.
 */
import type {
  BackupModel,
  Content,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../contract/backup.ts';
import { cliBackup } from '../families/command-line/backup.ts';
import { onDevice, onWorkstation } from '../families/command-line/restore-lines.ts';
import { linesOf, plainText } from '../families/command-line/text-reading.ts';
import { ciscoIos as dialect } from './dialect.ts';

/** Before the output that the size refers to. */
const front = /^\s*(?:Building configuration\.\.\.\s+)?Current configuration\b.*\n/;
/** `Using 737 out of 65536 bytes, uncompressed size = 1474 bytes`, `Uncompressed configuration from …` */
const startupFront = /^(?:(?!!|version ).*\n)*/;
/** A shorter configuration is not a whole one. The reported size may count line ends and empty lines around the configuration. */
const leastShare = 0.9;

const secrets: readonly SecretRule[] = [
  // Certificates and keys, line by line.
  { from: /^\s*certificate (?!.*nvram:)/, until: /^\s*quit\s*$/ },
];

export function backup(): BackupModel {
  return cliBackup({
    dialect,
    running: 'show running-config',
    startup: 'show startup-config',
    serial: {
      commands: ['show version'],
      // The second line is there once for each member of a stack.
      pattern: /^(?:Processor board ID |System Serial Number *: )([^\s,]+)/gim,
    },
    hostname: /^hostname (\S+)/m,
    changedBy(text) {
      const [, time, who] = /^! Last configuration change at (.*?) by (\S+)/m.exec(text) ?? [];
      return who && `${who}, ${time}`;
    },
    complete: {
      begins: [front, 'Current configuration'],
      ends: 'end',
      other(text) {
        const { reported, size } = sizesOf(text);
        if (size >= reported * leastShare) return undefined;
        return `the file has ${size} bytes, but IOS reported ${reported} bytes`;
      },
    },
    questions: [
      {
        // First, because a view may include `show privilege`.
        command: 'show parser view',
        whole: /^Current view is 'root'/gm,
        part: /^Current view is '([^'\n]+)'/gm,
        why: 'the login is in the parser view $1',
      },
      {
        command: 'show privilege',
        whole: /^Current privilege level is 15\s*$/gm,
        part: /^Current privilege level is (\d+)/gm,
        why: 'the login has privilege level $1',
      },
    ],
    isExact,
    startupLike,
    volatile: [
      /^Building configuration\.\.\./,
      /^Current configuration ?: \d+ bytes/,
      /^! (?:Last configuration change|NVRAM config last updated|No configuration change since)/,
      /^ntp clock-period \d+/,
      // Present if set by auto-bw, which is nearly everywhere.
      /^ tunnel mpls traffic-eng bandwidth (?:sub-pool )?\d+\s*$/,
    ],
    secrets,
    restore: { comment: '!', steps },
  });
}

/** With the other one's first lines. A switch that was never saved says so, and boots without a configuration. */
function startupLike(content: Buffer, startup: Buffer): Buffer {
  const running = content.toString('latin1');
  const text = startup.toString('latin1');
  if (!/^end\s*$/m.test(text)) return Buffer.alloc(0);
  const [first = ''] = front.exec(running) ?? [];
  // For a certificate, it only shows where it is stored.
  const body = text
    .replace(startupFront, '')
    .replace(/^( certificate .*?) nvram:\S+\n/gm, (line, begin) => {
      const at = running.indexOf(`${begin}\n`);
      const end = running.indexOf('quit\n', at);
      return at < 0 || end < 0 ? line : running.slice(at, end + 'quit\n'.length);
    });
  return Buffer.from(first + body, 'latin1');
}

function isExact(content: Content): boolean {
  const { reported, size } = sizesOf(plainText(content));
  return reported > 0 && reported === size;
}

/** The reported and the received size. */
function sizesOf(text: string): { reported: number; size: number } {
  const [first = ''] = front.exec(text) ?? [];
  const reported = Number(/: (\d+) bytes/.exec(first)?.[1] ?? 0);
  return { reported, size: text.length - first.length };
}

/**
 * The switch's Tcl shell writes a file to flash line by line. `configure replace` activates it, and removes statements that the version
 * does not have. Lines typed in configuration mode would only be added.
 */
const file = 'flash:version.cfg';

function steps(content: Buffer, { device: { name }, id, time }: RestoreAbout): RestoreStep[] {
  const lines = linesOf(content).filter(
    (line) => !/^(?:Building configuration|Current configuration|! (?:Last|NVRAM|No) )/.test(line),
  );
  return [
    onDevice(
      `Sign in to ${name} with privilege level 15 (at the serial console if it is a new switch), and write the version from ${time} (${id}) to its flash`,
      ['tclsh', `set f [open "${file}" w]`, ...lines.map(puts), 'close $f', 'tclquit'],
    ),
    onDevice(
      'Activate the version. Only the differences are applied. The command does not ask for confirmation, and the session ends if the address of the switch changes',
      [`configure replace ${file} force`],
    ),
    onDevice(
      'Save the configuration as the startup configuration, and remove the file, because it contains secrets',
      ['write memory', `delete /force ${file}`],
    ),
    onWorkstation(
      'On a new switch, create SSH keys (crypto key generate rsa modulus 2048), and check the VLANs that VTP manages (show vlan). The version contains neither the keys nor these VLANs',
      [],
    ),
  ];
}

/** Braces quote everything unchanged, unless it contains braces. */
function puts(line: string): string {
  if (!/[{}\\]/.test(line)) return `puts $f {${line}}`;
  return `puts $f "${line.replace(/[\\"$[\]{}]/g, '\\$&')}"`;
}
