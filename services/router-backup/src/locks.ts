/** One at a time for each name, in the order in which they came. */
export class Locks {
  private readonly last = new Map<string, Promise<unknown>>();

  isHeld(name: string): boolean {
    return this.last.has(name);
  }

  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.last.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.last.get(name) === settled) this.last.delete(name);
    }
  }
}
