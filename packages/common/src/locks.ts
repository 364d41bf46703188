/** Runs one piece of work for each name at a time, or a few; the others wait in the order of the requests. */
export class Locks {
  private readonly most: number;
  private readonly lines = new Map<string, { running: number; waiting: (() => void)[] }>();

  /** @param most at a time for each name */
  constructor(most = 1) {
    this.most = most;
  }

  /** Rejects as `work` does. */
  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(name) ?? { running: 0, waiting: [] };
    this.lines.set(name, line);
    if (line.running < this.most) line.running += 1;
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else line.running -= 1;
      if (line.running === 0) this.lines.delete(name);
    }
  }
}
