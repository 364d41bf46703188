/** A spool in memory, for readers: the parts that a delivery needs. */
import type { Spool, SpoolRecord } from '@skolo/base/durable';

type Needed = Pick<
  Spool,
  'first' | 'next' | 'read' | 'changed' | 'cursor' | 'setCursor' | 'append'
>;

/** The spool as a process has it that may be killed: its life is over then, and it sets no cursor any more. */
export function untilKilled(spool: MemorySpool, life: { isOver: boolean }): Omit<Needed, 'append'> {
  return {
    get first() {
      return spool.first;
    },
    get next() {
      return spool.next;
    },
    read: (from) => spool.read(from),
    changed: (next, signal) => spool.changed(next, signal),
    cursor: (name) => spool.cursor(name),
    setCursor(name, seq) {
      if (!life.isOver) spool.setCursor(name, seq);
    },
  };
}

export class MemorySpool implements Needed {
  first = 1;
  next = 1;
  readonly records: SpoolRecord[] = [];
  readonly places = new Map<string, number>();
  /** Thrown by the next read. */
  broken: Error | undefined;
  private watchers: (() => void)[] = [];

  async append(texts: readonly string[]): Promise<number> {
    const first = this.next;
    for (const text of texts) this.records.push({ seq: this.next++, text });
    for (const wake of this.watchers.splice(0)) wake();
    return first;
  }

  async *read(from: number): AsyncGenerator<SpoolRecord> {
    for (let index = Math.max(0, from - 1); index < this.records.length; index += 1) {
      const { broken } = this;
      this.broken = undefined;
      if (broken !== undefined) throw broken;
      const record = this.records[index];
      if (record !== undefined) yield record;
    }
  }

  changed(next: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.next > next) return resolve();
      this.watchers.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  }

  cursor(name: string): number | undefined {
    return this.places.get(name);
  }

  setCursor(name: string, seq: number): void {
    this.places.set(name, seq);
  }
}
