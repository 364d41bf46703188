/** Known damaged ranges of a file, in order; adjacent ones are merged. */
export class ByteRanges {
  readonly all: { start: number; end: number }[] = [];

  /** Whether it is new, and not part of or adjacent to a known one. */
  add(start: number, end: number): boolean {
    const after = this.firstEndingAt(start);
    const known = this.all[after];
    if (known && known.start <= end) {
      known.start = Math.min(known.start, start);
      known.end = Math.max(known.end, end);
      return false;
    }
    const last = this.all.at(-1);
    if (this.all.length >= most && last) {
      last.end = Math.max(last.end, end);
      return false;
    }
    this.all.splice(after, 0, { start, end });
    return true;
  }

  /** Whether the range is known. */
  covers(start: number, end: number): boolean {
    return this.all.some((known) => known.start <= start && known.end >= end);
  }

  private firstEndingAt(place: number): number {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.all[middle]?.end ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Further ranges are merged with the last. */
const most = 10_000;
