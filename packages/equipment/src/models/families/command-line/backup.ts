/** Backups of equipment that prints its configuration for one command. A model provides data; everything else is here. */
import type { DeviceCli, DeviceConnection } from '@skolo/equipment/transports';
import type { BackupModel, Content, Reading } from '../../contract/backup.ts';
import { Optional } from '../optional.ts';
import { type AnyDialect, anyCli } from './any-cli.ts';
import { askExtent, type ExtentQuestion, extentIn, type Says } from './extent.ts';
import { lastLine, linesOf, plainText, quoted } from './text-reading.ts';

/** A pattern, and the name of its match in messages. */
type Named = readonly [pattern: RegExp, name: string];

interface CliBackup
  extends Pick<BackupModel, 'volatile' | 'restore' | 'isExact' | 'startupLike'>,
    Partial<Pick<BackupModel, 'secrets'>> {
  dialect: AnyDialect;
  /** Command for the active configuration. */
  running: string;
  /** Command for the configuration that the device boots with. Absent: it has only one. */
  startup?: string;
  /** Commands that may show the serial number. The first match counts; others are those of other members of a stack. */
  serial: { commands: readonly string[]; pattern: RegExp };
  /** The host name in the configuration. */
  hostname: RegExp;
  /** Who last changed the configuration, according to the configuration itself. */
  changedBy?(text: string): string | undefined;
  complete: Complete;
  /** What a configuration says about parts that it lacks. */
  marks?: Says;
  /** What shows how much of it the device shows; absent: nothing does. */
  questions?: readonly ExtentQuestion[];
}

/** Text that only a complete configuration has. */
interface Complete {
  begins?: Named;
  has?: readonly Named[];
  /** Its last line. */
  ends?: string;
  /** Any other reason why it is incomplete. */
  other?(text: string): string | undefined;
}

/** Such a configuration has no recognisable last line, so it is read twice unless `isExact`. */
export function cliBackup(model: CliBackup): BackupModel {
  const { dialect, complete, volatile, secrets = [], restore, isExact, startupLike } = model;
  return {
    format: 'text',
    read: (connection) => read(connection, model),
    verifiedBy: 'twice',
    incomplete: (content) => incomplete(content, complete),
    messages: 'prompt' in dialect ? dialect.noise : undefined,
    volatile,
    secrets,
    restore,
    isExact,
    startupLike,
  };
}

async function read(connection: DeviceConnection, model: CliBackup): Promise<Reading> {
  const cli = await anyCli(connection, model.dialect);
  const bytes = await cli.read(model.running);
  const optional = new Optional(connection);
  const { startup: saved } = model;
  const startup = saved === undefined ? undefined : await optional.ask(() => cli.read(saved));
  const [serial, ...others] = await serialsOf(cli, model.serial, optional);
  const text = bytes.toString();
  const hostname = model.hostname.exec(text)?.[1];
  const changedBy = model.changedBy?.(text);
  const members = others.length === 0 || serial === undefined ? undefined : [serial, ...others];
  const { marks, questions } = model;
  const marked = marks && extentIn(text, marks);
  const extent =
    marked ?? (questions && (await askExtent(connection, questions, cli.run, optional)));
  return {
    content: { bytes },
    identity: { serial, hostname, members },
    startup,
    changedBy,
    extent,
    unseen: optional.unseen,
  };
}

async function serialsOf(
  cli: DeviceCli,
  { commands, pattern }: CliBackup['serial'],
  optional: Optional,
): Promise<string[]> {
  for (const command of commands) {
    const answer = await optional.ask(() => cli.run(command));
    const found = (answer?.toString() ?? '').matchAll(pattern);
    const serials = new Set([...found].flatMap(([, serial]) => serial ?? []));
    if (serials.size > 0) return [...serials];
  }
  return [];
}

function incomplete(
  content: Content,
  { begins, has = [], ends, other }: Complete,
): string | undefined {
  const text = plainText(content);
  if (begins && !begins[0].test(text.trimStart()))
    return `the configuration does not start with "${begins[1]}"`;
  const missing = has.find(([pattern]) => !pattern.test(text));
  if (missing) return `the configuration does not contain the line "${missing[1]}"`;
  const last = lastLine(text);
  if (ends !== undefined && last !== ends) return `the last line is ${quoted(last)}, not "${ends}"`;
  return other?.(text);
}

/**
 * The lines to type to restore a version. Banner lines stay unchanged.
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
