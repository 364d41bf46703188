/** Backups of devices whose configuration is the answer to one command. A model gives data; the rest is here. */
import type { DeviceCli, DeviceConnection, Dialect } from '@skolo/equipment';
import type { BackupModel, Content, Reading } from '../backup.ts';
import {
  given,
  ifAllowed,
  lastLine,
  linesOf,
  plainText,
  quoted,
  throwIfRefused,
} from './text-reading.ts';

/** A pattern, and how messages name what it matches. */
type Named = readonly [pattern: RegExp, name: string];

export interface CliBackup
  extends Pick<BackupModel, 'volatile' | 'secrets' | 'restore' | 'isExact' | 'startupLike'> {
  /** Of a prompt that commands are typed at; or only what says no, where each command has an exec channel of ssh. */
  dialect: Dialect | Pick<Dialect, 'errors'>;
  /** Command for the configuration in force. */
  running: string;
  /** Command for the configuration that the device boots with. Absent: it keeps only one. */
  startup?: string;
  /** Commands that may show the serial number. The first match counts. */
  serial: { commands: readonly string[]; pattern: RegExp };
  /** The host name in the configuration. */
  hostname: RegExp;
  /** Who changed the configuration last, as the configuration itself reports. */
  changedBy?(text: string): string | undefined;
  complete: Complete;
}

/** What only a complete configuration has. */
export interface Complete {
  begins?: Named;
  has?: readonly Named[];
  /** Its last line. */
  ends?: string;
  /** Why it is not complete for any other reason. */
  other?(text: string): string | undefined;
}

/** No last line proves such a configuration complete, so it is read twice unless `isExact`. */
export function cliBackup(model: CliBackup): BackupModel {
  const { dialect, complete, volatile, secrets, restore, isExact, startupLike } = model;
  return {
    format: 'text',
    read: (connection) => read(connection, model),
    proof: 'twice',
    incomplete: (content) => incomplete(content, complete),
    ...('prompt' in dialect && { messages: dialect.noise }),
    volatile,
    secrets,
    restore,
    ...(isExact && { isExact }),
    ...(startupLike && { startupLike }),
  };
}

async function read(connection: DeviceConnection, model: CliBackup): Promise<Reading> {
  const { dialect } = model;
  const cli = 'prompt' in dialect ? await connection.cli(dialect) : inChannels(connection, dialect);
  const bytes = await cli.read(model.running);
  const startup = model.startup && (await ifAllowed(cli.read(model.startup)));
  const serial = await serialOf(cli, model.serial);
  const text = bytes.toString();
  const hostname = model.hostname.exec(text)?.[1];
  return {
    content: { bytes },
    identity: { ...given('serial', serial), ...given('hostname', hostname) },
    ...(startup && { startup }),
    ...given('changedBy', model.changedBy?.(text)),
  };
}

function inChannels(connection: DeviceConnection, dialect: Pick<Dialect, 'errors'>): DeviceCli {
  const read = async (command: string) => {
    const answer = await connection.exec(command);
    throwIfRefused(connection.device.name, command, answer, dialect);
    return answer;
  };
  return { read, run: read };
}

async function serialOf(
  cli: DeviceCli,
  { commands, pattern }: CliBackup['serial'],
): Promise<string | undefined> {
  for (const command of commands) {
    const answer = await ifAllowed(cli.run(command));
    const serial = pattern.exec(answer?.toString() ?? '')?.[1];
    if (serial !== undefined) return serial;
  }
  return undefined;
}

function incomplete(
  content: Content,
  { begins, has = [], ends, other }: Complete,
): string | undefined {
  const text = plainText(content);
  if (begins && !begins[0].test(text.trimStart())) return `it does not begin with "${begins[1]}"`;
  const missing = has.find(([pattern]) => !pattern.test(text));
  if (missing) return `it has no line "${missing[1]}"`;
  const last = lastLine(text);
  if (ends !== undefined && last !== ends) return `its last line is ${quoted(last)}, not "${ends}"`;
  return other?.(text);
}

/**
 * The lines of a version that are typed to restore it. Lines of a banner stay as they are.
 *
 * @param skip comments and other lines that are not typed
 * @param bannerEnd for a line that begins a banner: the pattern of the line that ends it
 */
export function statements(
  content: Buffer,
  skip: RegExp,
  bannerEnd: (line: string) => RegExp | undefined,
): string[] {
  const typed: string[] = [];
  let end: RegExp | undefined;
  for (const line of linesOf(content)) {
    if (end === undefined && skip.test(line)) continue;
    typed.push(line);
    if (end === undefined) end = bannerEnd(line);
    else if (end.test(line)) end = undefined;
  }
  return typed;
}
