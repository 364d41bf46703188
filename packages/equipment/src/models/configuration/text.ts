/** Decides whether a configuration has changed: volatile lines, such as a clock, do not count. Also shows configurations as text. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { inTurns, sha256 } from '@skolo/base';
import { SlowExpression, sharingTime, timely } from '@skolo/base/described-expression';
import type { BackupModel, LineRule } from '../contract/backup.ts';
import { memberBytes, readSmallTar, type TarMember } from './archive.ts';
import { BackupError } from './errors.ts';

/** Larger files of an archive are only described. */
const shownUpTo = 4 << 20;

/**
 * For people: UTF-8 if valid, otherwise Latin-1, which shows every byte. For a tar, each of its files by name, with only a description if
 * it is not text.
 *
 * @param describe default: by its size and hash, from which secrets in it could be guessed
 */
export function textOf(
  content: Buffer,
  format: BackupModel['format'],
  describe: Describe = (bytes) => `${bytes.length} bytes, SHA-256 ${sha256(bytes)}`,
): string {
  return format === 'tar' ? tarText(content, describe) : decoded(content);
}

type Describe = (bytes: Buffer) => string;

/** Without volatile lines. @throws as `matchingLines` */
export async function withoutVolatile(
  text: string,
  volatile: readonly LineRule[],
): Promise<string> {
  if (volatile.length === 0) return text;
  const lines = text.split('\n');
  const isVolatile = await matchingLines(lines, volatile);
  const kept = lines.filter((_line, index) => !isVolatile[index]);
  return kept.length === lines.length ? text : kept.join('\n');
}

/**
 * For each line, whether a rule matches it. The end of a block may be missing. Many lines take several turns of the event loop.
 *
 * @throws SlowExpression A rule of rack.yaml takes too long for a line, or the rules for all of them
 */
export async function matchingLines(
  lines: readonly string[],
  rules: readonly LineRule[],
): Promise<boolean[]> {
  const inLines = rules.flatMap((rule) => (rule instanceof RegExp ? [rule] : []));
  const blocks = rules.flatMap((rule) => (rule instanceof RegExp ? [] : [rule]));
  const patterns = [...inLines, ...blocks.flatMap(({ from, until }) => [from, until])];
  const isMatch: boolean[] = [];
  let block: RegExp | undefined;
  const characters = lines.reduce((sum, { length }) => sum + length, 0);
  const time = { leftMs: leastMs + characters * msPerCharacter };
  const judge = (piece: readonly string[]) => {
    const work = () => {
      let until = block;
      const ofPiece = piece.map((line) => {
        const isInside = until !== undefined && !matches(until, line);
        if (!isInside) until = blocks.find(({ from }) => matches(from, line))?.until;
        return isInside || inLines.some((rule) => matches(rule, line));
      });
      return { ofPiece, until };
    };
    const found = sharingTime(time, () => timely(patterns, work));
    isMatch.push(...found.ofPiece);
    block = found.until;
  };
  for (let at = 0; at < lines.length; at += pieceLines) {
    const piece = lines.slice(at, at + pieceLines);
    try {
      judge(piece);
    } catch (error) {
      if (!(error instanceof SlowExpression)) throw error;
      // Many lines may take as long as one for which a rule is too slow.
      await inTurns(piece, (line) => judge([line]));
    }
    await setImmediate();
  }
  return isMatch;
}

/** Whether a line matches. @throws as `matchingLines` */
export async function hasLine(content: Buffer, rule: RegExp): Promise<boolean> {
  const matching = await matchingLines(decoded(content).split('\n'), [rule]);
  return matching.includes(true);
}

/** Nothing of it can be seen: blanks, a byte order mark, control characters. */
export function isBlank(text: string): boolean {
  return !/[^\s\p{C}]/u.test(text);
}

/** CPU time for all lines. */
const [leastMs, msPerCharacter] = [500, 300 / (64 * 1024)];
/** Lines that are judged at once, because each judgement with a limit costs 0.1 ms. */
const pieceLines = 64;

/**
 * Equal except for volatile lines. For archives: the same members, with the same permissions and content.
 *
 * @throws as `matchingLines`
 */
export async function isSame(
  a: Buffer,
  b: Buffer,
  about: Pick<BackupModel, 'format' | 'volatile'>,
): Promise<boolean> {
  return a.equals(b) || (await fingerprintOf(a, about)) === (await fingerprintOf(b, about));
}

/** A hash in hex, equal for contents for which {@link isSame} is true. @throws as `matchingLines` */
export async function fingerprintOf(
  content: Buffer,
  { format, volatile }: Pick<BackupModel, 'format' | 'volatile'>,
): Promise<string> {
  await setImmediate();
  const hash = createHash('sha1');
  const add = async (bytes: Buffer) => {
    // "é" differs between encodings.
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = bytes.toString(encoding);
    const without = await withoutVolatile(text, volatile);
    const kept = without === text ? bytes : Buffer.from(without, encoding);
    hash.update(`${kept.length}\n`).update(kept);
  };
  if (format === 'text') {
    await add(content);
    return hash.digest('hex');
  }
  try {
    for (const member of sortedMembers(content)) {
      const bytes = contentOf(content, member);
      hash.update(`${about(member)}\n`);
      if (isText(bytes)) await add(bytes);
      else hash.update(`${bytes.length}\n`).update(bytes);
    }
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    hash.update(content);
  }
  return hash.digest('hex');
}

function tarText(content: Buffer, describe: Describe) {
  let members: TarMember[];
  try {
    members = sortedMembers(content);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return `(${error.message}; ${describe(content)})\n`;
  }
  return members.map((member) => memberText(content, member, describe)).join('');
}

function memberText(content: Buffer, member: TarMember, describe: Describe) {
  const header = `===== ${about(member)}`;
  if (member.type !== 'file' || member.size === 0) return `${header}\n`;
  const bytes = contentOf(content, member);
  if (bytes.length > shownUpTo || !isText(bytes)) return `${header}: ${describe(bytes)}\n`;
  const text = decoded(bytes);
  return `${header}\n${text}${text.endsWith('\n') ? '' : '\n'}`;
}

/** `etc/hosts, file 0644 0:0`. */
function about({ name, type, mode, uid, gid, target }: TarMember) {
  const where = target === undefined ? '' : ` to ${printable(target)}`;
  return `${printable(name)}, ${type}${where} ${mode.toString(8).padStart(4, '0')} ${uid}:${gid}`;
}

function printable(name: string) {
  return /[\p{Cc}"\\]/u.test(name) ? JSON.stringify(name) : name;
}

function sortedMembers(content: Buffer) {
  const byName = (a: TarMember, b: TarMember) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return readSmallTar(content).sort(byName);
}

function contentOf(content: Buffer, member: TarMember) {
  return member.type === 'file' ? memberBytes({ bytes: content }, member) : Buffer.alloc(0);
}

function decoded(content: Buffer) {
  return content.toString(isUtf8(content) ? 'utf8' : 'latin1');
}

/** git's criterion: no NUL near the beginning. */
function isText(content: Buffer) {
  return !content.subarray(0, 8000).includes(0);
}

/** Even if the device ends lines with a carriage return. */
export function matches(rule: RegExp, line: string): boolean {
  rule.lastIndex = 0;
  return rule.test(line.endsWith('\r') ? line.slice(0, -1) : line);
}
