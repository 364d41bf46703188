/** Entries of a FAT directory: long names, each with a short one. */

export const entryBytes = 32;
const lettersInEntry = 13;
const longName = 0x0f;
const volumeLabel = 0x08;
const deleted = 0xe5;

export interface Entry {
  name: string;
  isFolder: boolean;
  /** Offsets in the directory, including the long name; the last is the entry itself. */
  offsets: number[];
  cluster: number;
  size: number;
  /** 11 letters. */
  short: string;
}

/** All entries of a directory, without `.`, `..` and the label. */
export function entriesIn(list: Buffer): Entry[] {
  const found: Entry[] = [];
  let long: { offset: number; text: string; sum: number }[] = [];
  for (let offset = 0; offset + entryBytes <= list.length; offset += entryBytes) {
    const entry = list.subarray(offset, offset + entryBytes);
    if (entry[0] === 0) break;
    const attributes = entry[11] as number;
    if (entry[0] === deleted) long = [];
    else if ((attributes & 0x3f) === longName) {
      if ((entry[0] as number) & 0x40) long = [];
      long.push({ offset, text: lettersOf(entry), sum: entry[13] as number });
    } else {
      const isOurs = long.length > 0 && long.every(({ sum }) => sum === sumOf(entry));
      const short = entry.toString('latin1', 0, 11);
      const text = isOurs
        ? long
            .toReversed()
            .map((each) => each.text)
            .join('')
        : undefined;
      const isLabel = (attributes & volumeLabel) !== 0;
      if (!isLabel && entry[0] !== 0x2e) {
        found.push({
          name: text ?? shownName(entry),
          short,
          isFolder: (attributes & 0x10) !== 0,
          offsets: [...(isOurs ? long.map((each) => each.offset) : []), offset],
          cluster: entry.readUInt16LE(20) * 65536 + entry.readUInt16LE(26),
          size: entry.readUInt32LE(28),
        });
      }
      long = [];
    }
  }
  return found;
}

/** The entries of a new file: for its long name, and the entry itself. */
export function newEntries(name: string, others: readonly Entry[]): Buffer {
  const short = shortName(name, new Set(others.map((each) => each.short)));
  const own = Buffer.alloc(entryBytes);
  own.write(short, 'latin1');
  // The archive bit, for backup programs.
  own[11] = 0x20;
  const sum = sumOf(own);
  const count = Math.ceil(name.length / lettersInEntry);
  const long = Array.from({ length: count }, (_, at) => {
    const entry = Buffer.alloc(entryBytes, 0xff);
    entry[0] = (at + 1) | (at === count - 1 ? 0x40 : 0);
    [entry[11], entry[12], entry[13]] = [longName, 0, sum];
    entry.writeUInt16LE(0, 26);
    const text = name.slice(at * lettersInEntry, (at + 1) * lettersInEntry);
    for (const [number, place] of letterPlaces.entries()) {
      if (number < text.length) entry.writeUInt16LE(text.charCodeAt(number), place);
      else if (number === text.length) entry.writeUInt16LE(0, place);
    }
    return entry;
  });
  return Buffer.concat([...long.reverse(), own]);
}

/** Sets what changes with the content of a file. */
export function setContent(
  entry: Buffer,
  { cluster, size, time }: { cluster: number; size: number; time: Date },
): void {
  entry.writeUInt16LE(Math.floor(cluster / 65536), 20);
  entry.writeUInt16LE(cluster & 0xffff, 26);
  entry.writeUInt32LE(size, 28);
  // Two seconds each, since 1980.
  const clock =
    (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  const year = Math.min(Math.max(time.getUTCFullYear(), 1980), 2107) - 1980;
  const day = (year << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  entry.writeUInt16LE(clock, 22);
  entry.writeUInt16LE(day, 24);
  entry.writeUInt16LE(day, 18);
}

/** Offset of this many consecutive free entries; undefined: there is no space. */
export function roomFor(list: Buffer, count: number): number | undefined {
  let free = 0;
  for (let offset = 0; offset + entryBytes <= list.length; offset += entryBytes) {
    const isFree = list[offset] === 0 || list[offset] === deleted;
    free = isFree ? free + 1 : 0;
    if (free === count) return offset - (count - 1) * entryBytes;
  }
  return undefined;
}

const letterPlaces = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

function lettersOf(entry: Buffer): string {
  const codes = letterPlaces.map((place) => entry.readUInt16LE(place));
  const end = codes.indexOf(0);
  return String.fromCharCode(...(end === -1 ? codes : codes.slice(0, end)));
}

/** Of the short name, in entries of the long one. */
function sumOf(entry: Buffer): number {
  let sum = 0;
  for (let at = 0; at < 11; at++)
    sum = (((sum & 1) << 7) + (sum >> 1) + (entry[at] as number)) & 255;
  return sum;
}

/** A short name without a long one. Bits 3 and 4 of byte 12: its parts are in lower case, as Windows NT writes them. */
function shownName(entry: Buffer): string {
  const part = (from: number, to: number, bit: number) => {
    const text = entry.toString('latin1', from, to).trimEnd();
    return (entry[12] as number) & bit ? text.toLowerCase() : text;
  };
  const [base, end] = [part(0, 8, 0x08), part(8, 11, 0x10)];
  return end === '' ? base : `${base}.${end}`;
}

/** `USER-D~1   ` for `user-data`. */
function shortName(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const clean = (text: string) => text.toUpperCase().replaceAll(/[^A-Z0-9_-]/g, '');
  const base = clean(dot <= 0 ? name : name.slice(0, dot)) || 'FILE';
  const end = (dot <= 0 ? '' : clean(name.slice(dot + 1))).slice(0, 3).padEnd(3);
  for (let number = 1; ; number++) {
    const tail = `~${number}`;
    const short = `${(base.slice(0, 8 - tail.length) + tail).padEnd(8)}${end}`;
    if (!taken.has(short)) return short;
  }
}
