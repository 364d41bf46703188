/**
 * Juniper EX switches and SRX routers (Junos). What is in force is what it boots with: commits are saved.
 *
 * Tried with: its simulator only, which RANCID and netmiko read as well.
 * rack.yaml: `router: { model: junos, address: 192.168.1.1, login: routers }`; a login of class super-user, as others do not see
 * secrets, but not `root`, whose shell is no command line of Junos.
 * Oddities: asked in a channel of ssh, where there is neither prompt nor pager nor log message. A refused command ends with status 0,
 * too. Braces match also where the end is missing, if it is missing between two statements, so it is read twice.
 * Source: Junos CLI User Guide, "Viewing the Configuration", "Loading Configuration Files", `commit confirmed`.
 */
import type { BackupModel, RestoreAbout, RestoreStep, SecretRule } from '../contract/backup.ts';
import { cliBackup } from '../families/command-line/backup.ts';
import { lastLine, linesOf, quoted } from '../families/command-line/text-reading.ts';
import { junos as dialect } from './dialect.ts';

const header = '## Last commit: ';
/** Minutes that a restored configuration is given before it undoes itself. */
const confirmWithin = 10;

const value = String.raw`("[^"]*"|[^\s;]+)`;
const secrets: readonly SecretRule[] = [
  // Hashes, and secrets that can be read back: whatever they are of.
  /"(\$\d\$[^"]*)"/,
  new RegExp(
    String.raw`\b(?:(?:encrypted|plain-text|simple)-password(?:-value)?|[\w-]*-password|secret|chap-secret|[\w-]*-secret|cak|passphrase|authentication-key|[\w-]*-authentication-key|privacy-key|key-string|md5 \d+ key) ${value}(?=;| )`,
  ),
  new RegExp(String.raw`\b(?:ascii-text|hexadecimal) ${value};`),
  new RegExp(String.raw`^\s+password ${value};`),
  new RegExp(`" password ${value};`),
  new RegExp(
    String.raw`^\s+(?:inactive: )?(?:community|trap-group|community-name) ${value}(?: \{|;)`,
  ),
  // As `set` commands have it.
  new RegExp(`^set snmp (?:community|trap-group) ${value}`),
  new RegExp(String.raw`\bauthentication-key \d+ type \S+ value ${value}`),
  /[a-z]:\/\/[^\s/:@]*:([^\s/@]+)@/,
];

export function backup(): BackupModel {
  return cliBackup({
    dialect,
    // `display omit`: also what is left out otherwise, as it is long.
    running: 'show configuration | display omit | no-more',
    serial: {
      commands: ['show chassis hardware | no-more'],
      // A virtual chassis has no serial number, but its members do.
      pattern: /^Chassis +(\S+) +(?!Chassis$)\S/m,
    },
    hostname: /^ {4}host-name "?([^";]+)"?;/m,
    changedBy: (text) => /^## Last commit: (.+)$/m.exec(text)?.[1],
    complete: {
      begins: [/^## Last commit: /, `${header}…`],
      has: [[/^version \S+;/m, 'version']],
      other: openAtEnd,
    },
    // A commit that changes nothing is one, too.
    volatile: [/^## Last commit: /],
    secrets,
    restore: { comment: '#', steps },
  });
}

function openAtEnd(text: string): string | undefined {
  const depth = depthAtEnd(text);
  if (depth === undefined) return 'its braces do not match';
  if (depth > 0) return `${depth} of its braces are still open at ${quoted(lastLine(text))}`;
  return /[;}]$|\*\/$|^#.*$/.test(withoutMark(lastLine(text)))
    ? undefined
    : `its last statement has no end: ${quoted(lastLine(text))}`;
}

/** Open braces at its end, those in texts and comments not counted; one that is not closed goes on to the end. Undefined: one is closed that was never open. */
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
    {
      title: `Type it into ${name}; it takes the place of all that is there. Not in it: certificates, licences, files`,
      where: 'device',
      lines: ['configure', 'load override terminal', first, ...rest],
    },
    {
      title: `Press Ctrl-D on a line of its own: "load complete". Look at the difference, and put it in force for ${confirmWithin} minutes`,
      where: 'device',
      lines: ['show | compare', 'commit check', `commit confirmed ${confirmWithin}`],
    },
    {
      title: 'Once it can be reached: confirm it, or it undoes itself',
      where: 'device',
      lines: ['commit', 'exit'],
    },
  ];
}
