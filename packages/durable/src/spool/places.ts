/** Parts of a file that are known to be damaged, in order; neighbours are one. */
export class Places {
  readonly all: { start: number; end: number }[] = [];

  /** Whether it is a new one, and not part or neighbour of one that is known. */
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

  /** Whether all of it is known. */
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

/** What comes after so many counts as one place with the last. */
const most = 10_000;
