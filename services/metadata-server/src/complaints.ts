/** The same complaint is logged once a minute, however often it is made: bots repeat themselves. */

const quietMs = 60_000;
const most = 1000;

export class Complaints {
  private readonly lastMade = new Map<string, number>();
  private readonly now: () => number;

  /** `now`: milliseconds of a clock that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** Calls `make` unless this complaint was made a short time ago. */
  make(about: string, make: () => void): void {
    const now = this.now();
    const last = this.lastMade.get(about);
    if (last !== undefined && now - last < quietMs) return;
    // The oldest is the first: those made again are put last.
    this.lastMade.delete(about);
    const [oldest] = this.lastMade.keys();
    if (this.lastMade.size >= most && oldest !== undefined) this.lastMade.delete(oldest);
    this.lastMade.set(about, now);
    make();
  }
}
