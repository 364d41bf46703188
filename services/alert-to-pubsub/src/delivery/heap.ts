/**
 * A binary heap: the item with the lowest key comes out first. When an item's key has changed, push it again: entries with another key than
 * the current one count as absent. So an item that was taken out needs another key, too.
 */
export class Heap<T> {
  private readonly keyOf: (item: T) => number | undefined;
  private entries: { key: number; item: T }[] = [];
  /** At this length, absent entries are removed, so that they are never many more than the others. */
  private most = 64;

  /** @param keyOf the current key; undefined: the item is absent */
  constructor(keyOf: (item: T) => number | undefined) {
    this.keyOf = keyOf;
  }

  push(item: T): void {
    const key = this.keyOf(item);
    if (key === undefined) return;
    if (this.entries.length >= this.most) this.clean();
    const { entries } = this;
    let at = entries.length;
    for (let above: number; at > 0; at = above) {
      above = (at - 1) >>> 1;
      const entry = entries[above];
      if (entry === undefined || entry.key <= key) break;
      entries[at] = entry;
    }
    entries[at] = { key, item };
  }

  /** The item with the lowest key, which stays. */
  peek(): T | undefined {
    for (;;) {
      const [first] = this.entries;
      if (first === undefined || this.isThere(first)) return first?.item;
      this.drop();
    }
  }

  pop(): T | undefined {
    const item = this.peek();
    this.drop();
    return item;
  }

  private drop(): void {
    const { entries } = this;
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return;
    const keyAt = (index: number) => entries[index]?.key ?? Number.POSITIVE_INFINITY;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const below = keyAt(left + 1) < keyAt(left) ? left + 1 : left;
      const entry = entries[below];
      if (entry === undefined || entry.key >= last.key) break;
      entries[at] = entry;
      at = below;
    }
    entries[at] = last;
  }

  private clean(): void {
    // A sorted array is a heap.
    this.entries = this.entries
      .filter((entry) => this.isThere(entry))
      .sort((one, other) => one.key - other.key || 0);
    this.most = 2 * this.entries.length + 64;
  }

  private isThere({ key, item }: { key: number; item: T }): boolean {
    return this.keyOf(item) === key;
  }
}
