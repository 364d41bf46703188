/**
 * Work on texts that a device chooses, and which may therefore take long: masking secrets, comparing versions. A worker thread runs it, so
 * inputs and results can be cloned.
 */
import { changedLines, difference } from '@skolo/backup/diff';
import type { BackupModel, LineRule, SecretRule } from '@skolo/equipment/models/backup';
import { createMask, textOf, withoutVolatile } from '@skolo/equipment/models/configuration';
import { maskMessage, maskTranscript, type Recorded, transcriptText } from './masking.ts';

interface Masking {
  key: Uint8Array;
  rules: readonly SecretRule[];
}

interface Configuration {
  content: Uint8Array;
  format: BackupModel['format'];
  /** Undefined: secrets are shown. */
  masking: Masking | undefined;
  /** Lines to omit. */
  volatile?: readonly LineRule[];
}

/** In UTF-8. */
interface Texts {
  from: Uint8Array;
  to: Uint8Array;
  names: { from: string; to: string };
}

interface Session extends Masking {
  transcript: Recorded;
  message: string | undefined;
}

/** Longest difference in bytes. Node would take too long to send it as JSON. */
const longestDifference = 4 * 1024 * 1024;
/** Lines of both texts. Comparing more of them takes too much memory. */
const mostLines = 400_000;

export const jobs = { text, difference: shownDifference, measured, session };
export type Jobs = typeof jobs;

/** A configuration as text for people, in UTF-8. */
async function text({
  content,
  format,
  masking,
  volatile = [],
}: Configuration): Promise<Uint8Array> {
  const mask = masking && createMask(masking.key);
  const whole = textOf(bufferOf(content), format, mask?.word);
  const shown = mask === undefined ? whole : mask.text(whole, masking?.rules ?? []);
  return new TextEncoder().encode(await withoutVolatile(shown, volatile));
}

/** A unified diff in UTF-8; empty if the texts are equal. */
function shownDifference({ from, to, names }: Texts): Uint8Array {
  const isLong = linesOf(from) + linesOf(to) > mostLines;
  const diff = isLong ? '' : difference(`${bufferOf(from)}`, `${bufferOf(to)}`, names);
  const isShown = bufferOf(from).equals(to) || (!isLong && diff.length <= longestDifference);
  const instead = `--- ${names.from}\n+++ ${names.to}\nthe change is too large to compare line by line\n`;
  return new TextEncoder().encode(isShown ? diff : instead);
}

/** The size of a configuration's text, and how many lines have changed: `+3 -1`; undefined: too many to count. */
async function measured({ before, ...now }: Configuration & { before: Uint8Array | undefined }) {
  const { length: size } = await text(now);
  if (before === undefined || linesOf(before) + linesOf(now.content) > mostLines) return { size };
  const [from, to] = [before, now.content].map((bytes) => bufferOf(bytes).toString('latin1'));
  const { added, removed } = changedLines(from ?? '', to ?? '');
  return { size, lines: `+${added} -${removed}` };
}

/** A session's transcript, or a message about it. */
function session({ transcript, key, rules, message }: Session): string {
  const mask = createMask(key);
  const whole = transcriptText(transcript, rules);
  return message === undefined
    ? maskTranscript(mask, whole, rules)
    : maskMessage(mask, message, whole, rules);
}

/** A Buffer becomes a Uint8Array on its way to the worker. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function linesOf(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
