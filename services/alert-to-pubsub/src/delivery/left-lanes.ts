/** Lanes that are blocked and have their share of the window: from where on each of them has to be read again. */

interface Left {
  /** The first message of the lane that was not taken. */
  from: number;
  /** How many were not. */
  count: number;
}

export class LeftLanes {
  private readonly left = new Map<string, Left>();

  get lanes(): string[] {
    return [...this.left.keys()];
  }

  /** The first message that was left; infinite where none was. */
  get lowest(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.left.values()].map(({ from }) => from));
  }

  get count(): number {
    let sum = 0;
    for (const { count } of this.left.values()) sum += count;
    return sum;
  }

  has(lane: string): boolean {
    return this.left.has(lane);
  }

  /** From where on the lane has to be read again. */
  from(lane: string): number {
    return this.left.get(lane)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** A message is left where it is; all later ones of its lane have to be, too. */
  leave(lane: string, seq: number): void {
    const { from, count } = this.left.get(lane) ?? { from: seq, count: 0 };
    this.left.set(lane, { from: Math.min(from, seq), count: count + 1 });
  }

  /** A message was taken now. Gives from where on the others have to be read. */
  taken(lane: string, seq: number): number {
    const { count = 0 } = this.left.get(lane) ?? {};
    this.left.set(lane, { from: seq + 1, count: Math.max(0, count - 1) });
    return seq + 1;
  }

  /** All that was left of it was read. */
  done(lane: string): void {
    this.left.delete(lane);
  }

  /**
   * What is older is given up. Gives how many those are, about.
   *
   * @param next all before it was read
   */
  skipTo(seq: number, next: number): number {
    let skipped = 0;
    for (const [lane, { from, count }] of this.left) {
      if (from >= seq) continue;
      const share = seq >= next ? 1 : (seq - from) / (next - from);
      const gone = Math.round(count * share);
      skipped += gone;
      if (seq >= next) this.left.delete(lane);
      else this.left.set(lane, { from: seq, count: count - gone });
    }
    return skipped;
  }
}
