/** The requests that a simulated service received, and a way to wait for the next ones without polling. */
export class CallLog<Call> {
  readonly calls: Call[] = [];
  /** Most requests that were ever open at the same time. */
  mostAtOnce = 0;
  private open = 0;
  private waiting: { isSo: () => boolean; go: () => void }[] = [];

  /** Records a request; what was answered is filled in later. */
  arrive(call: Call, keep = true): void {
    if (keep) this.calls.push(call);
    this.open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.open);
    this.update();
  }

  /** The answer is out, or the client gone. */
  done(): void {
    this.open -= 1;
    this.update();
  }

  /** Something has changed. */
  update(): void {
    this.waiting = this.waiting.filter(({ isSo, go }) => {
      if (!isSo()) return true;
      go();
      return false;
    });
  }

  /** Resolves once it is so, at once when it is. */
  async until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((go, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.waiting.push({ isSo, go });
      this.update();
    });
  }

  /** Resolves once so many calls that match have arrived since the start. */
  async seen(count: number, match: (call: Call) => boolean): Promise<void> {
    await this.until(() => this.calls.filter(match).length >= count);
  }
}
