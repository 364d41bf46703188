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
