interface Watcher {
  next: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Who waits for something to be appended. */
export class Watchers {
  private readonly waiting = new Set<Watcher>();

  /** Until `tell` is called with more than that. */
  async wait(next: number, signal?: AbortSignal): Promise<void> {
    let watcher: Watcher | undefined;
    const abort = () => watcher?.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        watcher = { next, resolve, reject };
        this.waiting.add(watcher);
      });
    } finally {
      if (watcher) this.waiting.delete(watcher);
      signal?.removeEventListener('abort', abort);
    }
  }

  tell(next: number): void {
    for (const watcher of this.waiting) if (next > watcher.next) watcher.resolve();
  }

  end(error: unknown): void {
    for (const { reject } of this.waiting) reject(error);
  }
}
