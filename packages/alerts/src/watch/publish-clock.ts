/**
 * Computes the age of a Pub/Sub message. Its publication time is from a correct clock; if this computer's clock is wrong, either no message
 * or every message would seem old.
 *
 * So this computer's steady clock is compared with the times of the messages: the one with the shortest delay is assumed to have had none.
 */

/** A point in time by both clocks of this computer, in milliseconds. */
export interface Moment {
  /** Since 1970, for people and files. It may be wrong, and may jump. */
  wall: number;
  /** For all decisions. It never jumps, and stops while the computer sleeps. */
  steady: number;
}

export function momentNow(): Moment {
  return { wall: Date.now(), steady: performance.now() };
}

/** The comparison restarts, because the two clocks drift apart, and the steady clock falls behind when the computer sleeps. */
const windowMs = 600_000;

export class PublishClock {
  /** Steady time minus Pub/Sub time: the minimum of this window and of the previous one. */
  private least: number;
  private previous: number;
  private windowBegan: number;

  /** @param offset steady time minus wall time, if messages may have been queued for long: at first, the wall clock must be trusted */
  constructor(steady: number, offset = Number.POSITIVE_INFINITY) {
    this.windowBegan = steady;
    this.least = offset;
    this.previous = offset;
  }

  /**
   * Records a received message.
   *
   * @returns by how many milliseconds earlier messages are older than they seemed
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

  /** When a message was published, by this computer's steady clock. */
  steadyOf(published: number): number {
    return published + this.offset;
  }

  private get offset(): number {
    return Math.min(this.least, this.previous);
  }
}
