/** Decides whether a reading is complete and verified, how often it is repeated, and which log messages are removed from it. */

import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { count } from '@skolo/base';
import { withinTime } from '@skolo/base/described-expression';
import { AnswerCut, AnswerUncertain, type DeviceConnection } from '@skolo/equipment/transports';
import type { BackupModel, Content, Reading } from '../contract/backup.ts';
import { createMask } from './mask.ts';
import { hasMessages, withoutMessages } from './messages.ts';
import { isSame, textOf, withoutVolatile } from './text.ts';

/** Readings of a device whose log messages appear in them. */
const mostReadings = 4;

/**
 * Reads until a reading is verified: by itself, or by a second one that is equal except for log messages and volatile lines. A mark shows
 * that a reading is complete, but not that nothing else is in it, such as a message to all users, so one that is new is read again.
 *
 * @param check throws if a reading cannot be a configuration
 * @param isKnown whether the newest version has this content
 * @throws DeviceError of `@skolo/equipment/transports`. AnswerCut: two readings differ. AnswerUncertain: they differ, and each contained messages
 */
export async function readWhole(
  model: BackupModel,
  connection: DeviceConnection,
  check: (reading: Reading) => Promise<void>,
  isKnown: (content: Content) => Promise<boolean> = async () => true,
): Promise<Reading> {
  const readings: Reading[] = [];
  const isMark = model.verifiedBy === 'mark';
  let isUncertain = false;
  for (;;) {
    const reading = await model.read(connection);
    // Each step looks at all of it, in a turn of the event loop of its own.
    await setImmediate();
    const hasMixed = isMixed(model, reading);
    await setImmediate();
    // A reading with messages is only checked without them.
    if (!hasMixed) await check(reading);
    if (!hasMixed && isVerified(model, reading) && (!isMark || (await isKnown(reading.content)))) {
      return withStartupLike(model, reading);
    }
    for (const other of readings) {
      const agreed = await agreedOf(model, other, reading);
      if (agreed === undefined) continue;
      // Only once: a check turns a configuration into a text.
      if (hasMixed || agreed.content !== reading.content) await check(agreed);
      return withStartupLike(model, agreed);
    }
    readings.push(reading);
    isUncertain ||= hasMixed;
    if (readings.length >= (isUncertain || isMark ? mostReadings : 2)) {
      throw await disagreement(model, connection.device.name, readings, isUncertain);
    }
  }
}

function withStartupLike({ startupLike }: BackupModel, reading: Reading): Reading {
  const { content, startup } = reading;
  if (startupLike === undefined || startup === undefined || !('bytes' in content)) return reading;
  return { ...reading, startup: startupLike(content.bytes, startup) };
}

/** Larger ones are not quoted, because masking takes its time. */
const mostQuoted = 64 * 1024;

/** The lines that only one of the last two readings has, at most three, without secrets, and the reason if there are any. */
async function differences(
  { secrets, volatile }: BackupModel,
  readings: readonly Reading[],
): Promise<string> {
  const mask = createMask(randomBytes(16));
  const masked: string[][] = [];
  for (const { content } of readings.slice(-2)) {
    await setImmediate();
    const text = 'bytes' in content ? textOf(content.bytes, 'text') : '';
    const isShort = text.length <= mostQuoted;
    const kept = isShort ? await withoutVolatile(text, volatile) : '';
    const work = () => mask.text(kept, secrets);
    masked.push((isShort && withinTime(work)?.split('\n')) || []);
  }
  const [one = [], other = []] = masked;
  const lacking = (lines: string[], known: string[]) => {
    const all = new Set(known);
    return lines.filter((line) => !all.has(line));
  };
  const added = lacking(other, one);
  const lines = added.length > 0 ? added : lacking(one, other);
  const withoutIds = (line: string) => line.replace(/<secret \w+>/g, '<secret>');
  const shown = lines
    .slice(0, 3)
    .map((line) => JSON.stringify(withoutIds(line.trim().slice(0, 80))));
  const why = 'one of them is incomplete, or another session is changing the configuration';
  return shown.length === 0
    ? `: ${why}`
    : ` in ${count(lines.length, 'line')}: ${shown.join(', ')}; ${why}, or these lines change automatically`;
}

async function disagreement(
  model: BackupModel,
  device: string,
  readings: readonly Reading[],
  isUncertain: boolean,
): Promise<Error> {
  const sizes = readings.map(sizeOf).join(', ');
  return isUncertain
    ? new AnswerUncertain(
        device,
        `log messages interrupted the output of the configuration, and no two of ${readings.length} readings agree (${sizes} bytes); the configuration will be read again later`,
      )
    : new AnswerCut(
        device,
        `two readings differ (${sizes} bytes)${await differences(model, readings)}`,
      );
}

/** Whether no second reading is needed. */
function isVerified(model: BackupModel, reading: Reading): boolean {
  return model.verifiedBy !== 'twice' || model.isExact?.(reading.content) === true;
}

/** The common content; undefined if they differ. */
async function agreedOf(
  model: BackupModel,
  one: Reading,
  other: Reading,
): Promise<Reading | undefined> {
  if (!('bytes' in one.content && 'bytes' in other.content)) {
    throw new RangeError('only a configuration in memory can be read twice');
  }
  const bytes = await agreedBytes(model, one.content.bytes, other.content.bytes);
  if (bytes === undefined || !isSameDevice(one, other)) return undefined;
  const content = bytes === other.content.bytes ? other.content : { bytes };
  const readings = [other, one];
  const sawMost =
    readings.find(({ unseen }) => unseen === undefined) ??
    readings.find(({ identity }) => identity.serial !== undefined);
  const agreed = { ...(sawMost ?? other), content };
  if (one.startup === undefined && other.startup === undefined) return agreed;
  if (one.startup === undefined || other.startup === undefined) {
    return { ...agreed, startup: undefined, unseen: one.unseen ?? other.unseen };
  }
  const startup = await agreedBytes(model, one.startup, other.startup);
  return startup && { ...agreed, startup };
}

async function agreedBytes(
  model: BackupModel,
  one: Buffer,
  other: Buffer,
): Promise<Buffer | undefined> {
  if (await isSame(one, other, model)) return other;
  const { messages = [], volatile } = model;
  if (messages.length === 0) return undefined;
  await setImmediate();
  const encoding = isUtf8(one) && isUtf8(other) ? 'utf8' : 'latin1';
  const [a, b] = [one.toString(encoding), other.toString(encoding)];
  const agreed = await withoutMessages(a, b, { messages, volatile });
  return agreed && Buffer.from(agreed.text, encoding);
}

/** A message inside a name or serial number would make it look like another device. A number that one of them did not see is not another. */
function isSameDevice(one: Reading, other: Reading): boolean {
  const lacks = ({ identity, unseen }: Reading) => !identity.serial && unseen !== undefined;
  const isSame = one.identity.serial === other.identity.serial || lacks(one) || lacks(other);
  return isSame && one.identity.hostname === other.identity.hostname;
}

/** Whether a part that was read into memory contains something like a log message. */
function isMixed({ messages = [] }: BackupModel, { content, startup }: Reading): boolean {
  const parts = ['bytes' in content ? content.bytes : undefined, startup];
  return parts.some((part) => part !== undefined && hasMessages(part, messages));
}

function sizeOf({ content }: Reading): number {
  return 'bytes' in content ? content.bytes.length : content.size;
}
