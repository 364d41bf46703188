/** The requests that a simulated service received, and a way to wait for the next ones without polling. */
export class CallLog<Call> {
  readonly calls: Call[] = [];
  private waiting: { isSo: () => boolean; go: () => void }[] = [];

  /** Records a request; the answer is added later. */
  arrive(call: Call, keep = true): void {
    if (keep) this.calls.push(call);
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

  /** Resolves once the condition holds, immediately if it already does. */
  async until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((go, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.waiting.push({ isSo, go });
      this.update();
    });
  }

  /** Resolves once this many matching calls have arrived since the start. */
  async seen(count: number, match: (call: Call) => boolean): Promise<void> {
    await this.until(() => this.calls.filter(match).length >= count);
  }
}
