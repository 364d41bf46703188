/**
 * Juniper Junos's texts. Commands run in ssh channels, without prompt or pager; at a prompt, a line like `{master:0}` comes before it where
 * there are several routing engines or members, in configuration mode with `[edit]` behind it.
 *
 * Sources: Junos CLI User Guide, "CLI Operational Mode" and "CLI Configuration Mode"; error texts from sessions that gnetcli recorded;
 * RANCID's list of what may be in the braces.
 */

import { count } from '@skolo/base';
import type { Dialect } from '@skolo/equipment/transports';
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup } from '../families/command-line/backup.ts';
import { cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { lastLine, linesOf, quoted } from '../families/command-line/text-reading.ts';
import { macPattern } from '../families/mac-address.ts';

export const junos: Pick<Dialect, 'errors' | 'abovePrompt' | 'noise'> = {
  // `syntax error, expecting <command>.`, `unknown command.`, `error: configuration database modified`
  errors: [
    /^(?:syntax error|unknown command|missing argument|invalid \w+)\b/i,
    /^(?:[\w ]+ )?error: /i,
    /^(?:permission denied|load complete \(\d+ errors\))/i,
  ],
  abovePrompt: [
    /^\{(?:master|backup|line ?card|primary|secondary)(?::(?:node)?\d+)?\}(?:\[edit.*\])?$/,
    /^\[edit.*\]$/,
  ],
  noise: [
    // `Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: …`
    /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d +\S+ [\w./-]+(?:\[\d+\])?: /,
    /^(?:Message from syslogd@|System shutdown message from |\*\*\* System shutdown message)/,
  ],
};

/**
 * Juniper EX switches and SRX routers (Junos). What is active is what it boots with: commits are saved.
 *
 * Verified with: a recorded session, and its simulator, which RANCID and netmiko can also read.
 * rack.yaml: `router: { model: junos, address: 192.168.1.1, login: routers }`; a login of class super-user, because others do not see
 * secrets, but not `root`, whose shell is no command line of Junos.
 * Quirks: asked in a channel of ssh, where there is neither prompt nor pager nor log message. A rejected command also ends with status 0.
 * Braces match even if the end is missing, if the cut is between two statements, so it is read twice.
 * Source: Junos CLI User Guide, "Viewing the Configuration", "Loading Configuration Files", `commit confirmed`, `show cli authorization`.
 */

const header = '## Last commit: ';
/** Minutes until a restored configuration is rolled back automatically. */
const confirmWithin = 10;

const secrets: readonly SecretRule[] = [/^(?:\s+|set snmp )trap-group ("(?:\\.|[^"\\])*"|[^\s;]+)/];

export function backup(): BackupModel {
  return cliBackup({
    dialect: junos,
    // `display omit`: includes long parts that are omitted by default.
    running: 'show configuration | display omit | no-more',
    serial: {
      commands: ['show chassis hardware | no-more'],
      // A virtual chassis has that of its master, or none. Members are line cards.
      pattern:
        /^(?:Chassis|(?<=^Chassis .*Virtual Chassis\s[\s\S]*)FPC \d+ +REV \S+ +\S+) +(\S+) +(?!Chassis$)\S/gm,
    },
    hostname: /^ {4}host-name "?([^";\n]+)"?;/m,
    changedBy: (text) => /^## Last commit: (.+)$/m.exec(text)?.[1],
    complete: {
      begins: [/^## Last commit: /, `${header}…`],
      has: [[/^version \S+;/m, 'version']],
      other: faultIn,
    },
    marks: {
      // Instead of a secret or statement that the class may not see, and not in a text or comment.
      part: /^[ \t]*(?![ \t])([\w-]*)(?![\w-])[^"#\r\n\u2028\u2029]*\/\* (?:SECRET-DATA|ACCESS-DENIED) \*\//gm,
      why: 'the class of the login may not see $1',
    },
    questions: [
      {
        command: 'show cli authorization | no-more',
        whole:
          /^Permissions:(?=[\s\S]*^ +secret *--)(?=[\s\S]*^ +view-configuration *--)(?=[\s\S]*^ *Deny configuration regular expression: none\s*$)/gm,
        part: /^Permissions:(?![\s\S]*^ +secret *--)|^ *Deny configuration regular expression: (?!none\s*$).+/gm,
        why: 'the class of the login lacks the permission secret, or denies statements',
      },
    ],
    // A commit without changes also counts.
    volatile: [/^## Last commit: /],
    secrets,
    restore: { comment: '#', steps },
  });
}

function faultIn(text: string): string | undefined {
  const depth = depthAtEnd(text);
  if (depth === undefined) return 'the braces do not match';
  if (depth > 0)
    return `the configuration ends with ${count(depth, 'unclosed brace')}: ${quoted(lastLine(text))}`;
  return /[;}]$|\*\/$|^#.*$/.test(withoutMark(lastLine(text)))
    ? undefined
    : `the last statement is incomplete: ${quoted(lastLine(text))}`;
}

/**
 * Unclosed braces at its end, except in texts and comments; an unclosed text or comment extends to the end. Undefined: a brace is closed
 * that was never opened.
 */
function depthAtEnd(text: string): number | undefined {
  let depth = 0;
  for (const [token] of text.matchAll(
    /"(?:\\.|[^"\\])*(?:"|\\?$)|\/\*.*?(?:\*\/|$)|#[^\n]*|[{}]/gs,
  )) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (depth < 0) return undefined;
  }
  return depth;
}

function withoutMark(line: string): string {
  return line.replace(/(?<! ) *## SECRET-DATA$/, '');
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  const [first = '', ...rest] = linesOf(content).filter((line) => !line.startsWith(header));
  return [
    onDevice(
      `Enter the version on ${name}, where it replaces the whole configuration. It does not contain certificates, licences or files`,
      ['configure', 'load override terminal', first, ...rest],
    ),
    onDevice(
      `Press Ctrl-D on a separate line, and wait for "load complete". Check the differences, and activate the version; unless you confirm it within ${confirmWithin} minutes, Junos rolls it back`,
      ['show | compare', 'commit check', `commit confirmed ${confirmWithin}`],
    ),
    onDevice('If it is reachable, confirm the version', ['commit', 'exit']),
  ];
}

/**
 * Juniper Junos: Ethernet switching table, links and ARP table, in ssh channels.
 *
 * Verified with: recordings of MAC tables, and our simulator, in the form of switches with ELS and in the older one. A unit, `ge-0/0/3.0`, is its port.
 * Source: Junos OS CLI Reference, `show ethernet-switching table`, `show interfaces terse`, `show arp`; sessions of users.
 */
export const connectedHosts = cliConnectedHosts({
  dialect: junos,
  macs: {
    command: 'show ethernet-switching table',
    header: /^Ethernet[- ]switching table *:/im,
    row: new RegExp(
      String.raw`^\s*(?<vlan>\S+)\s+(?<mac>${macPattern})\b(?:.*?\s(?<port>[a-z]+[-\d/:]*\d)\.\d+\b)?`,
    ),
    own: /\s(?:Router|irb\.\d+)\b/,
  },
  links: {
    command: 'show interfaces terse',
    header: /^Interface\s+Admin\s+Link/m,
    row: /^(?<port>[a-z]{2,5}-\d+\/\d+\/\d+(?::\d+)?|fxp0|me0|em0)\s+(?:up|down)\s+(?<link>up|down)\b/,
  },
  arp: {
    command: 'show arp no-resolve',
    header: /^MAC Address\s+Address/m,
    row: new RegExp(String.raw`^(?<mac>${macPattern})\s+(?<address>[\d.]+)`),
  },
});
