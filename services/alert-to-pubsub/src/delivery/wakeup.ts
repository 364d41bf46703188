/** Lets one loop wait until anything has happened. */
export class Wakeup {
  private isDue = false;
  private resume: () => void = () => undefined;

  wake(): void {
    this.isDue = true;
    this.resume();
  }

  /** Fulfilled once `wake` was called since the last time. */
  async wait(): Promise<void> {
    if (!this.isDue) {
      await new Promise<void>((resolve) => {
        this.resume = resolve;
      });
    }
    this.isDue = false;
  }
}
