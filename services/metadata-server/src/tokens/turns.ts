/** A few things of each caller at a time; its others wait for their turn, first come, first served. */
export class Turns {
  private readonly most: number;
  private readonly lines = new Map<string, { running: number; waiting: (() => void)[] }>();

  /** @param most so many at a time for each caller */
  constructor(most: number) {
    this.most = most;
  }

  /** Rejects as `work` does. */
  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(caller) ?? { running: 0, waiting: [] };
    this.lines.set(caller, line);
    if (line.running < this.most) line.running += 1;
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else line.running -= 1;
      if (line.running === 0) this.lines.delete(caller);
    }
  }
}
