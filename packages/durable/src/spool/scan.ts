/** What one segment's file has: every line is looked at. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Note } from './line.ts';
import { type LineSink, readLines } from './lines.ts';
import { chunksOf, mark, newSegment, type Segment } from './segment.ts';

/** Its first line that is whole. A name says little: files are renamed, and copied. */
export interface Beginning {
  path: string;
  /** Undefined where the first line is no note. */
  number: number | undefined;
  /** Sequence number with which it began. */
  first: number;
}

/** Where no line is whole: whether there is one at all. */
export async function beginningOf(path: string): Promise<Beginning | { hasNewline: boolean }> {
  let beginning: Beginning | undefined;
  let hasNewline = false;
  const sink: LineSink = {
    record(first) {
      beginning ??= { path, number: undefined, first };
    },
    note({ segment, next }) {
      beginning ??= { path, number: segment, first: next };
    },
    damaged(bytes, start, end) {
      hasNewline ||= bytes.subarray(start, end).includes(10);
    },
  };
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    for await (const { bytes, offset } of chunksOf(handle, 0, () => size)) {
      readLines(bytes, offset, sink);
      if (beginning) return beginning;
    }
    return { hasNewline };
  } finally {
    await handle.close();
  }
}

export interface Scan {
  segment: Segment;
  /** The last one. */
  note: Note | undefined;
  records: number;
  damagedLines: number;
  damagedBytes: number;
  /** Of a last line that was not written to its end. Only of the newest segment. */
  tornBytes: number;
  endsWithNewline: boolean;
}

/** Counts the records after `seen` and before `limit`; others are there twice, or were withdrawn. */
export async function scanSegment(
  { path, number, first }: Beginning,
  { seen, limit, isNewest }: { seen: number; limit: number; isNewest: boolean },
): Promise<Scan> {
  const segment = { ...newSegment(path, number, first), limit };
  const scan: Scan = {
    segment,
    note: undefined,
    records: 0,
    damagedLines: 0,
    damagedBytes: 0,
    tornBytes: 0,
    endsWithNewline: true,
  };
  let previous = seen;
  const sink: LineSink = {
    record(seq, _bytes, _start, _end, offset) {
      if (seq <= previous || seq >= limit) return;
      if (scan.records === 0) segment.first = seq;
      scan.records += 1;
      segment.last = seq;
      previous = seq;
      mark(segment.marks, seq, offset);
    },
    note(note) {
      // One beyond the limit belongs to what was withdrawn.
      if (note.next <= limit) scan.note = note;
    },
    damaged(bytes, start, end, offset) {
      if (isNewest && offset + end - start === segment.end && bytes[end - 1] !== 10) {
        scan.tornBytes = end - start;
        return;
      }
      segment.damaged.add(offset, offset + end - start);
      scan.damagedLines += 1;
      scan.damagedBytes += end - start;
    },
  };
  const handle = await open(path, 'r');
  try {
    segment.end = (await handle.stat()).size;
    for await (const { bytes, offset } of chunksOf(handle, 0, () => segment.end)) {
      readLines(bytes, offset, sink);
      scan.endsWithNewline = bytes.at(-1) === 10;
    }
  } finally {
    await handle.close();
  }
  if (scan.tornBytes > 0) {
    segment.end -= scan.tornBytes;
    scan.endsWithNewline = await cut(path, segment.end).catch(() => false);
  }
  return scan;
}

/** Whether a line ends there. */
async function cut(path: string, end: number): Promise<boolean> {
  const handle: FileHandle = await open(path, 'r+');
  try {
    await handle.truncate(end);
    await handle.datasync();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, end - 1);
    return buffer[0] === 10;
  } finally {
    await handle.close();
  }
}
