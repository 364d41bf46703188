import { isSequence } from './line.ts';

/** The readers' places, and whether the disk has them. */
export class Cursors {
  readonly all: Map<string, number>;
  /** Counts what has to be written: changes, and of them those that are. */
  private changes = 0;
  private durable = 0;

  constructor(all: Map<string, number>) {
    this.all = all;
  }

  get isChanged(): boolean {
    return this.changes > this.durable;
  }

  set(name: string, seq: number): void {
    if (!isSequence(seq)) throw new TypeError(`${seq} is no sequence number`);
    if (this.all.get(name) === seq) return;
    this.all.set(name, seq);
    this.changes += 1;
  }

  remove(name: string): void {
    if (this.all.delete(name)) this.changes += 1;
  }

  /** To be written again. */
  touch(): void {
    this.changes += 1;
  }

  /** To be called before they are written; what it gives, once they are on the disk. */
  writing(): () => void {
    const { changes } = this;
    return () => {
      this.durable = Math.max(this.durable, changes);
    };
  }
}
