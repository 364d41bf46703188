/** Reads records of segments in order, during appends and trims. */
import { openIfThere } from '../files/line-file.ts';
import { textOf } from './line.ts';
import { readLines } from './lines.ts';
import { type Chunk, chunksOf, offsetOf, type Segment } from './segment.ts';

export interface SpoolRecord {
  seq: number;
  /** JSON. */
  text: string;
}

/** Receives damage that appeared after opening. */
export interface DamageListener {
  /** Records cannot be read. */
  unreadable(records: number): void;
  /** The file of a segment was deleted. @returns whether it was restored */
  gone(segment: Segment): Promise<boolean>;
}

/**
 * Yields some hundred records at a time. `segments` may change meanwhile.
 *
 * @throws Error From the system.
 */
export async function* readRecords(
  segments: readonly Segment[],
  from: number,
  trouble: DamageListener,
): AsyncGenerator<SpoolRecord[]> {
  let wanted = from;
  let previous: { segment: Segment; place: number } | undefined;
  for (;;) {
    const segment = segments.find(({ last }) => last >= wanted);
    if (!segment) return;
    const begin = previous?.segment === segment ? previous.place : offsetOf(segment, wanted);
    let place = begin;
    for await (const chunk of chunks(segment, begin)) {
      const records = recordsOf(segment, chunk, wanted, trouble);
      place = chunk.offset + chunk.bytes.length;
      wanted = (records.at(-1)?.seq ?? wanted - 1) + 1;
      if (records.length > 0) yield records;
    }
    previous = { segment, place };
    if (place < segment.end) {
      // An append happened meanwhile, or the file was truncated or deleted.
      if (place > begin) continue;
      if (segments.includes(segment)) {
        if (await trouble.gone(segment)) continue;
        if (!segment.damaged.covers(place, segment.end)) {
          segment.damaged.add(place, segment.end);
          trouble.unreadable(segment.last + 1 - wanted);
        }
      }
    }
    wanted = Math.max(wanted, segment.last + 1);
  }
}

async function* chunks(segment: Segment, from: number): AsyncGenerator<Chunk> {
  // Absent if it was trimmed or lost meanwhile.
  await using handle = await openIfThere(segment.path);
  if (handle !== undefined) yield* chunksOf(handle, from, () => segment.end);
}

function recordsOf(
  segment: Segment,
  { bytes, offset }: Chunk,
  from: number,
  trouble: DamageListener,
): SpoolRecord[] {
  const records: SpoolRecord[] = [];
  let wanted = from;
  readLines(bytes, offset, {
    record(seq, line, start, end) {
      if (seq < wanted || seq >= segment.limit) return;
      wanted = seq + 1;
      records.push({ seq, text: textOf(line, start, end, seq) });
    },
    damaged(_bytes, start, end, place) {
      if (segment.damaged.add(place, place + end - start)) trouble.unreadable(1);
    },
  });
  return records;
}
