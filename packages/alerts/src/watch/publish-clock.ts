/**
 * How old a message of Pub/Sub is. It has its time of publication, by a clock that is right; the clock of this computer
 * may not be, and then either no message would be old, or all of them.
 *
 * So the steady clock of this computer is compared with the times of the messages themselves: the one that took the
 * least time to come is taken for one that took none.
 */

/** A point in time, by both clocks of this computer. In milliseconds. */
export interface Moment {
  /** Since 1970, for people and files. It may be wrong, and jump. */
  wall: number;
  /** For everything that is judged. It never jumps, and stands still while the computer sleeps. */
  steady: number;
}

export function momentNow(): Moment {
  return { wall: Date.now(), steady: performance.now() };
}

/** The comparison begins again: two clocks drift apart, and a computer that slept has one that is behind. */
const windowMs = 600_000;

export class PublishClock {
  /** Steady time minus time of Pub/Sub: the least of this window, and of the one before. */
  private least: number;
  private previous: number;
  private windowBegan: number;

  /**
   * @param offset steady time minus wall time, where what comes may have waited for long: then that clock has to be
   *   believed at first
   */
  constructor(steady: number, offset = Number.POSITIVE_INFINITY) {
    this.windowBegan = steady;
    this.least = offset;
    this.previous = offset;
  }

  /**
   * A message has come.
   *
   * @returns by how much all that was published before is older than it seemed, milliseconds
   */
  saw(published: number, steady: number): number {
    const before = this.offset;
    if (steady - this.windowBegan >= windowMs) {
      this.windowBegan = steady;
      this.previous = this.least;
      this.least = Number.POSITIVE_INFINITY;
    }
    this.least = Math.min(this.least, steady - published);
    return Number.isFinite(before) ? Math.max(0, before - this.offset) : 0;
  }

  /** When something was published, by the steady clock of this computer. */
  steadyOf(published: number): number {
    return published + this.offset;
  }

  private get offset(): number {
    return Math.min(this.least, this.previous);
  }
}
