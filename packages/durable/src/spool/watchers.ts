interface Watcher {
  next: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Callers that wait for an append. */
export class Watchers {
  private readonly waiting = new Set<Watcher>();

  /** Resolves when `notify` is called with a larger number. */
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

  notify(next: number): void {
    for (const watcher of this.waiting) if (next > watcher.next) watcher.resolve();
  }

  end(error: unknown): void {
    for (const { reject } of this.waiting) reject(error);
  }
}
