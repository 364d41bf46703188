/** Waits for data on a connection, and checks again after each change. */
import { type IdleTimer, type Limit, withinLimit } from './limit.ts';

export class Waiter {
  private look: (() => void) | undefined;
  private idle: IdleTimer | undefined;

  /** Data arrived from the other side. */
  received(): void {
    this.idle?.received();
  }

  /** The visible state has changed. */
  changed(): void {
    this.look?.();
  }

  /**
   * One at a time.
   *
   * @param find checks now and at each change; throws if the result will never arrive
   * @param late as in `withinLimit`
   */
  async until<T>(
    limit: Limit,
    late: (how: string) => Error,
    find: () => T | undefined,
  ): Promise<T> {
    return await withinLimit<T>(limit, late, (resolve, reject, idle) => {
      this.idle = idle;
      this.look = () => {
        try {
          const found = find();
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error);
        }
      };
      this.look();
      return () => {
        this.look = undefined;
        this.idle = undefined;
      };
    });
  }
}
