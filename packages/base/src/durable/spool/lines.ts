/** Splits bytes of a segment into lines: undamaged ones, even next to a damaged newline, and damaged bytes. */
import { crc32 } from 'node:zlib';
import { checksumAt, isDamaged, isNote, lineAt, type Note, noteOf, space } from './line.ts';

/** Receives lines. `offset` is in the file; `bytes` is reused after the call. */
export interface LineSink {
  record(seq: number, bytes: Buffer, start: number, end: number, offset: number): void;
  note?(note: Note, offset: number): void;
  damaged?(bytes: Buffer, start: number, end: number, offset: number): void;
}

/** `offset` of the bytes in the file. Their end is the end of a line, with or without a newline. */
export function readLines(bytes: Buffer, offset: number, sink: LineSink): void {
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const isWhole = readLine(bytes, start, end, offset, sink);
    const next = newline < 0 ? bytes.length : newline + 1;
    if (!isWhole) readDamaged(bytes, start, end, next, offset, sink);
    start = next;
  }
}

function readLine(bytes: Buffer, start: number, end: number, offset: number, sink: LineSink) {
  const seq = lineAt(bytes, start, end);
  if (seq === isDamaged) return false;
  if (seq !== isNote) {
    sink.record(seq, bytes, start, end, offset + start);
    return true;
  }
  const note = noteOf(bytes, start, end);
  if (note) sink.note?.(note, offset + start);
  return true;
}

/** Limit of possible line starts in a damaged line. */
const mostStarts = 64;
/** Two merged lines are longer. */
const shortestPair = 22;

/**
 * A line with a damaged newline is merged with the next one: both are undamaged except for one byte between them. Accepts
 * only a line directly after an undamaged one: other matches may be part of a text.
 */
function readDamaged(
  bytes: Buffer,
  start: number,
  end: number,
  next: number,
  offset: number,
  sink: LineSink,
) {
  const ends = end - start > shortestPair ? endsWithin(bytes, start, end) : [end - 1];
  let from = start;
  for (;;) {
    const to = wholeUntil(bytes, from, ends);
    if (to === undefined) break;
    readLine(bytes, from, to, offset, sink);
    if (to === end) return;
    // The byte that should be a newline.
    sink.damaged?.(bytes, to, to + 1, offset + to);
    from = to + 1;
    if (from === end) return;
  }
  sink.damaged?.(bytes, from, next, offset + from);
}

/** Possible ends of a line: one byte before a checksum with a sequence number, and the end. */
function endsWithin(bytes: Buffer, start: number, end: number): number[] {
  const ends: number[] = [];
  let gap = bytes.indexOf(space, start + 9);
  while (gap >= 0 && gap < end && ends.length < mostStarts) {
    const body = bytes[gap + 1] ?? 0;
    const mayBe = body === 0x2d || (body >= 0x31 && body <= 0x39);
    if (mayBe && gap - 9 > start && checksumAt(bytes, gap - 8) !== undefined) ends.push(gap - 9);
    gap = bytes.indexOf(space, gap + 1);
  }
  return [...ends, end - 1, end];
}

/** The first of the ends at which the line is undamaged. */
function wholeUntil(bytes: Buffer, start: number, ends: number[]): number | undefined {
  const checksum = checksumAt(bytes, start);
  if (checksum === undefined) return undefined;
  let crc = 0;
  let done = start + 9;
  for (const end of ends) {
    if (end <= done) continue;
    crc = crc32(bytes.subarray(done, end), crc);
    done = end;
    if (crc === checksum && lineAt(bytes, start, end) !== isDamaged) return end;
  }
  return undefined;
}
