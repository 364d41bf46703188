import { isSequence } from './line.ts';

/** Positions of readers, and whether the disk has them. */
export class Cursors {
  readonly all: Map<string, number>;
  /** Number of changes, and of those that are on the disk. */
  private changes = 0;
  private durable = 0;

  constructor(all: Map<string, number>) {
    this.all = all;
  }

  get isChanged(): boolean {
    return this.changes > this.durable;
  }

  set(name: string, seq: number): void {
    if (!isSequence(seq)) throw new TypeError(`${seq} is not a sequence number`);
    if (this.all.get(name) === seq) return;
    this.all.set(name, seq);
    this.changes += 1;
  }

  remove(name: string): void {
    if (this.all.delete(name)) this.changes += 1;
  }

  /** Marks the cursors as changed. */
  touch(): void {
    this.changes += 1;
  }

  /** Call it before writing, and the returned function when they are on the disk. */
  writing(): () => void {
    const { changes } = this;
    return () => {
      this.durable = Math.max(this.durable, changes);
    };
  }
}
