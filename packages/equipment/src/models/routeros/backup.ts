/**
 * MikroTik (RouterOS 6 and 7): its export, in a channel of ssh, without prompt, pager or colour.
 *
 * Verified with: recorded sessions, and its simulator, which RANCID can also read.
 * rack.yaml: `router: { model: routeros, address: 192.168.1.1, login: routers }`; the policies ssh, read and sensitive.
 * Quirks: version 7 leaves secrets out unless it is command not to, version 6 knows no word for that; the head of the export says which
 * it is. Nothing marks the end, so it is read twice. Comments of the system come and go. A channel needs a large window, or the
 * device stalls: that of ssh2 is 2 MiB. Passwords of users and certificates are in no export.
 * Source: MikroTik's manual, "Configuration Management", "User" (policies); Oxidized's issue 3867 for the window.
 */

import {
  type DeviceConnection,
  DeviceRejected,
  throwIfRejected,
} from '@skolo/equipment/transports';
import { quotedCharacter } from '../configuration/common-secrets.ts';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../contract/backup.ts';
import { askExtent, type ExtentQuestion } from '../families/command-line/extent.ts';
import { copyToDevice, onDevice, onWorkstation } from '../families/command-line/restore-lines.ts';
import { lastLine, plainText, quoted } from '../families/command-line/text-reading.ts';
import { Optional } from '../families/optional.ts';
import { routeros as dialect } from './dialect.ts';

/** `# 2026-11-20 10:00:00 by RouterOS 7.15.3`, `# nov/20/2026 10:00:00 by RouterOS 6.49.17` */
const head = /^# .{1,40} by RouterOS (\d+)\.\S+/;

/** Also on the next line, or broken into several. */
const value = String.raw`=(?:\\\s+)?(?:"(${quotedCharacter}+)|([^\s"\\][^\s\\]*(?:\\\s+[^\s\\]*)*))`;
/** Inside a quoted value. */
const statement = String.raw`/(?:tool|system|ip|interface|user|file|log|import)\b|:(?:global|local|for|foreach|if|do|put|set|log|delay|execute|parse|import|while|return)\b`;

const secrets: readonly SecretRule[] = [
  // Values that may hold a script or a command, which usually contains tokens and passwords.
  new RegExp(
    String.raw`(?<=^|\s)(?:source|script|cmd|entrypoint|on-(?!interface=)[\w-]+|[\w-]+-script|modem-init)${value}`,
  ),
  new RegExp(
    String.raw`(?<=^|\s)[\w.-]+=(?:\\\s+)?"(?=${quotedCharacter}*?(?:${statement}))(${quotedCharacter}+)`,
  ),
  new RegExp(String.raw`(?<=^|\s)(?:static-key-[0-3]|cak|pin|secrets|trap-community)${value}`),
  // Its names are secrets.
  { from: /^\/snmp community$/, until: /^\// },
];

/** Without the policy `sensitive`, the export lacks secrets, whatever it is asked for. A user of RADIUS is in no list. */
const questions: readonly ExtentQuestion[] = [
  {
    command: ':put [/user group get [/user get [find name="{user}"] group] policy]',
    whole: /^(?:.*[;, ])?sensitive(?:[;, ]|$)/gm,
    part: /^(?:.*[;, ])?read(?:[;, ]|$)/gm,
    why: 'the group of the login lacks the policy sensitive',
  },
];

export function backup(): BackupModel {
  return {
    format: 'text',
    read,
    verifiedBy: 'twice',
    incomplete,
    // People's comments are `comment=`; these are the time and the system's remarks.
    volatile: [/^#(?! (?:software id|model|serial number) = )/],
    secrets,
    restore: { comment: '#', steps },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const bytes = await exported(connection);
  const optional = new Optional(connection);
  const ask = (command: string) => connection.exec(command);
  const extent = await askExtent(connection, questions, ask, optional);
  const text = bytes.toString();
  const serial = /^# serial number = (\S+)/m.exec(text)?.[1];
  const history = await optional.ask(() => ask('/system history print detail'));
  const changedBy = /\bby="([^"]+)"/.exec(history?.toString() ?? '')?.[1];
  const hostname = identityIn(text);
  const { unseen } = optional;
  return { content: { bytes }, identity: { serial, hostname }, changedBy, extent, unseen };
}

/** Includes all secrets, with its version's syntax. A rejection also has status 0. */
async function exported(connection: DeviceConnection): Promise<Buffer> {
  const { name } = connection.device;
  const command = '/export show-sensitive';
  const whole = await connection.exec(command);
  const said = whole.subarray(0, 200).toString('latin1').trim();
  if (!/^(?:expected end of command|bad parameter)/.test(said)) {
    throwIfRejected(name, command, whole, dialect);
    return whole;
  }
  const plain = await connection.exec('/export');
  throwIfRejected(name, '/export', plain, dialect);
  const version = head.exec(plain.toString('latin1').trimStart())?.[1];
  if (version !== undefined && Number(version) >= 7) {
    throw new DeviceRejected(name, `has RouterOS ${version}, but rejects "${command}": ${said}`);
  }
  return plain;
}

function identityIn(text: string): string | undefined {
  const [, quoted, plain] =
    /^\/system identity\r?\nset name=(?:"((?:\\.|[^"\\])*)"|(\S+))/m.exec(text) ?? [];
  return quoted ?? plain;
}

function incomplete(content: Content): string | undefined {
  const text = plainText(content);
  if (!head.test(text.trimStart())) return 'the first line is not "# … by RouterOS …"';
  if (!/^\/\w/m.test(text)) return 'the configuration does not contain any menus';
  const failed = /^# ?error exporting .*/m.exec(text)?.[0];
  if (failed !== undefined)
    return `RouterOS could not export the whole configuration: ${quoted(failed)}`;
  // In a recording, masked lines are no statements either.
  const odd = /^(?![#/a-z:]| {4}|<secret ).+/m.exec(text)?.[0];
  if (odd !== undefined)
    return `the configuration contains a line that is not a statement: ${quoted(odd)}`;
  if (lastLine(text).endsWith('\\')) return 'the last line ends with a backslash';
  return text.endsWith('\n') ? undefined : 'the last line is incomplete';
}

function steps(_content: Buffer, about: RestoreAbout): RestoreStep[] {
  const { name } = about.device;
  const file = `${name}.rsc`;
  return [
    onWorkstation(
      'Write the version to a file, and copy it to the router',
      copyToDevice(about, { file, user: 'admin' }),
    ),
    onDevice(
      `Reset ${name} to exactly this version. RouterOS asks for confirmation, restarts, and imports the file. Users and their passwords are kept. The version does not contain certificates, host keys or other files, so restore these manually if the reset removes them. To add the version to the current configuration instead, run /import file-name=${file}`,
      [
        `/system reset-configuration keep-users=yes no-defaults=yes skip-backup=no run-after-reset=${file}`,
      ],
    ),
  ];
}
